import type { Cast, Fates } from '../stage/cast.ts';
import { AGREEING_DECIMALS, agree } from './correlation.ts';
import type { Check, Report } from './report.ts';

type Facts = Omit<Report, 'checks'>;

/** A model that knows nothing has this area under the curve. */
const AUC_OF_CHANCE = 0.5;

/** What must hold after the demo. */
export function checksOf(facts: Facts, cast: Cast, fates: Fates, bad: string | undefined): Check[] {
  return [
    onlineStoreCheck(facts),
    changeLogCheck(facts),
    ...labelChecks(facts, cast, fates),
    ...trainingChecks(facts, cast),
    predictionCheck(facts),
    ...correlationChecks(facts),
    quarantineCheck(facts, bad),
  ];
}

function onlineStoreCheck({ onlineStore: { records, differences } }: Facts): Check {
  const [first] = differences;
  return {
    name: 'the online store equals the table',
    ok: !first && records > 0,
    detail: first
      ? `${differences.length} values differ, first ${first.feature} of ${first.recordIdentifier}`
      : `${records} records, every value as written`,
  };
}

function changeLogCheck({ changeLog: { rows, distinct }, changes, quarantine }: Facts): Check {
  return {
    name: 'the change log has every change, once after de-duplication by sequence number',
    ok: distinct === changes.written - quarantine.length,
    detail: `${changes.written} changes, ${quarantine.length} of them in quarantine; ${rows} rows, ${distinct} distinct`,
  };
}

function labelChecks({ labels }: Facts, { customers }: Cast, { corrected }: Fates): Check[] {
  const ones = customers.filter(({ label }) => label === '1').length + (corrected.label === '1' ? -1 : 1);
  const zeros = customers.length - ones;
  return [
    {
      name: 'labels counted = distinct records labeled',
      ok: labels.counted === labels.distinct,
      detail: `${labels.counted} counted, ${labels.distinct} labeled`,
    },
    {
      name: 'labels are counted by class',
      ok: labels.byClass['1'] === ones && labels.byClass['0'] === zeros,
      detail: `${labels.byClass['1']} of class 1 and ${labels.byClass['0']} of class 0; written ${ones} and ${zeros}`,
    },
  ];
}

function trainingChecks({ trainings, endpoint, threshold }: Facts, { plan }: Cast): Check[] {
  const planned = Math.floor(plan.labeled.length / threshold);
  const crossings = trainings.slice(0, planned);
  const serving = trainings.findLast(({ endpointConfigName }) => endpointConfigName !== null)?.endpointConfigName;
  const swapped = trainings.at(-1)?.endpointConfigName !== null;
  return [
    {
      name: 'each crossing of the threshold trained a model',
      ok: trainings.length >= planned && crossings.every(({ rows }, index) => rows === (index + 1) * threshold),
      detail: `${planned} crossings of ${threshold} labels; trained on ${trainings.map(({ rows }) => rows).join(', ')} rows`,
    },
    {
      name: 'each model is better than chance on rows it has not seen',
      ok: trainings.length > 0 && trainings.every(({ auc }) => auc !== null && auc > AUC_OF_CHANCE),
      detail: `AUC ${trainings.map(({ auc }) => auc?.toFixed(4) ?? 'missing').join(', ')}`,
    },
    {
      name: 'the endpoint serves the last model',
      ok: endpoint.before !== null && (endpoint.before !== endpoint.after) === swapped && endpoint.after === serving,
      detail: swapped
        ? `${endpoint.before ?? 'nothing'} before the last swap, ${endpoint.after ?? 'nothing'} after it`
        : `${endpoint.after ?? 'nothing'} still, as the gate refused the last model`,
    },
  ];
}

function predictionCheck({ predictions, endpoint }: Facts): Check {
  const answers = predictions.flatMap(({ before, after }) => [before, after]);
  const scored = answers.every((answer) => answer !== null && answer.score >= 0 && answer.score <= 1);
  const byModel = predictions.every(
    ({ before, after }) => before?.model === endpoint.before && after.model === endpoint.after,
  );
  return {
    name: 'predictions are by the model of their time',
    ok: scored && byModel,
    detail: `${predictions.length} records, before and after the last swap`,
  };
}

function correlationChecks({ correlations }: Facts): Check[] {
  const { complete, completeFromRows, final, finalFromTable } = correlations;
  return [
    {
      name: `correlations agree to ${AGREEING_DECIMALS} decimals when every record is labeled`,
      ok: agree(complete, completeFromRows),
      detail: 'SQL over the change log, and the rows that were written',
    },
    {
      name: `correlations agree to ${AGREEING_DECIMALS} decimals at the end`,
      ok: agree(final, finalFromTable),
      detail: 'SQL over the change log, and a scan of the table',
    },
  ];
}

function quarantineCheck({ quarantine }: Facts, bad: string | undefined): Check {
  const [first, ...more] = quarantine;
  return {
    name: bad === undefined ? 'nothing is in quarantine' : 'the bad record, and no other, is in quarantine',
    ok: first?.recordIdentifier === bad && more.length === 0,
    detail: quarantine.map((it) => `${it.recordIdentifier}: ${it.reason} at ${it.path}`).join('; ') || 'empty',
  };
}
