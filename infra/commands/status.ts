import type { Evidence } from '../../shared/state/evidence.ts';
import { classesText } from '../../shared/state/label-ledger.ts';
import { deploymentRefusal } from '../../shared/training/consider.ts';
import { type RetrainingStatus, readStatus } from '../../shared/training/status.ts';
import { type AbsentFeatures, absentFeatures } from '../insight/absent-features.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption } from '../terminal/options.ts';
import { type Style, styleOf } from '../terminal/style.ts';
import { labeled } from '../terminal/text.ts';
import { withStack } from './stack.ts';
import { EXAMPLE, STAGE } from './target.ts';

/** Columns of the names on the left. */
const LABEL_WIDTH = 15;

export const command = newCommand(
  'status',
  'Shows how the retraining of a deployed stack stands: labels, trainings, decisions, and the model that serves.',
)
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(({ json, ...options }) =>
      withStack(options, async (stack) => {
        const { table, group, config } = stack;
        const found = await readStatus(table, group, config, Date.now(), (it) =>
          deploymentRefusal({ ...stack, options: config }, it),
        );
        // Who may not read the change log is told the rest.
        const unused = await absentFeatures(stack.s3, config.dataBucket, group, Date.now()).catch(() => undefined);
        const answer = { featureGroup: group.name, ...found, absent: unused ?? null };
        const style = styleOf(process.stdout);
        const text = () => (group.label ? render(answer, style) : renderWithoutLabel(answer, style));
        console.log(json ? JSON.stringify(answer, undefined, 2) : text());
        return 0;
      }),
    ),
  );

type Line = readonly [name: string, text: string];

type Status = RetrainingStatus & { readonly featureGroup: string; readonly absent: AbsentFeatures | null };

function absentLines({ absent }: Status): Line[] {
  if (absent === null) return [['Absent', 'not known: the change log cannot be read with these credentials']];
  if (absent.absent.length === 0) return [];
  return [['Absent', `${absent.absent.join(', ')}: in none of the last ${absent.changes} changes`]];
}

/** When the online store was checked last, and what came of it. */
function checkLine({ check }: Status): Line {
  if (check === null) return ['Check', 'the online store has not been compared with the table yet'];
  const { at, equalAt, drifted, counts } = check;
  const compared = `${(counts.compared + counts.listed).toLocaleString('en-US')} records compared at ${at}`;
  const late = counts.late > 0 ? `; changes of ${counts.late} may still be on their way` : '';
  if (drifted === 0) return ['Check', `${compared}: none differs${late}`];
  const before = equalAt === null ? 'no check has found none' : `the last check that found none was at ${equalAt}`;
  return ['Check', `${compared}: ${drifted} differ${late}; ${before}. npm run reconcile names them`];
}

/** Of a stack that trains nothing. */
function renderWithoutLabel(it: Status, style: Style): string {
  const lines: Line[] = [
    [it.featureGroup, `at ${it.at}`],
    ['Label', 'none: the stores are filled, and nothing is trained'],
    ...absentLines(it),
    checkLine(it),
  ];
  return lines.map(([name, text]) => labeled(name, text, LABEL_WIDTH, style)).join('\n');
}

function render(it: Status, style: Style): string {
  const { labels, next, inFlight, serving, lastFailure } = it;
  const lines: Line[] = [
    [it.featureGroup, `at ${it.at}`],
    ['Labels', `${labels.total} in epoch ${it.epoch}${classesText(labels)}`],
    ['Next', `${next.decision}: ${next.reason}`],
    ...missingLines(next.missing),
    ...(it.paused ? [['Paused', `since ${it.paused.at}: ${it.paused.reason}`] as const] : []),
    ...(it.approval ? [['Approval', approvalText(it.approval)] as const] : []),
    ['In flight', inFlight ? inFlight.executionName : 'nothing'],
    ['Serving', serving ? `${serving.modelName}, by endpoint ${it.endpoint}` : 'no model yet'],
    ['Schema', schemaText(it.schemas)],
    ...absentLines(it),
    checkLine(it),
    ...(serving?.rolledBack ? [['', rolledBack(serving.rolledBack)] as const] : []),
    ...section('Trainings', it.trainings.flatMap(trainingLines)),
    ['Last failure', lastFailure ? failure(lastFailure) : 'none'],
    ...(lastFailure ? [['', lastFailure.cause] as const] : []),
    ...section(
      'Decisions',
      it.decisions.map(({ at, decision, reason }) => `${at} ${decision}: ${reason}`),
    ),
  ];
  return lines.map(([name, text]) => labeled(name, text, LABEL_WIDTH, style)).join('\n');
}

const approvalText = ({ modelName, reason, expiresAt }: NonNullable<RetrainingStatus['approval']>) =>
  `${modelName} waits for npm run approve until ${expiresAt}. ${reason}`;

function schemaText({ defined, serving }: RetrainingStatus['schemas']): string {
  if (serving === null || serving === defined) return defined;
  return `the definition's is ${defined}; what serves is of ${serving}, and predictions are encoded by that`;
}

const rolledBack = ({ at, from, reason }: { at: string; from: string; reason: string }) =>
  `put back at ${at} in place of ${from}: ${reason}`;

const failure = ({ failedAtMs, epoch, attempt, error }: NonNullable<RetrainingStatus['lastFailure']>) =>
  `${new Date(failedAtMs).toISOString()} epoch ${epoch}, attempt ${attempt}: ${error}`;

function missingLines({ labels, perClass, notBefore }: RetrainingStatus['next']['missing']): Line[] {
  const classes = Object.entries(perClass).flatMap(([label, count]) => (count > 0 ? `${count} of class ${label}` : []));
  const missing = [...(labels > 0 ? [`${labels} labels`] : []), ...classes];
  return [
    ...(missing.length > 0 ? [['Missing', missing.join(', ')] as const] : []),
    ...(notBefore ? [['Not before', notBefore] as const] : []),
  ];
}

function trainingLines(it: Evidence): string[] {
  const { trainRows = 0, validationRows = 0, judgeRows = 0, inexactRows = 0 } = it.counts;
  const inexact = inexactRows > 0 ? `, ${inexactRows} of them with features that may date from after their label` : '';
  const decided = { promote: 'promoted', refuse: 'refused', failed: 'given up' }[it.decision];
  const prepared = it.bytesRead ? `, ${bytesText(it.bytesRead)}` : '';
  const back = it.rolledBackAt ? `, rolled back at ${it.rolledBackAt}: ${it.rollbackReason}` : '';
  return [
    `epoch ${it.epoch}, attempt ${it.attempt}, ${it.closedAt}: ${it.modelName ?? 'no model'} ${decided}${back}`,
    `  ${trainRows} rows trained, ${validationRows} validated, ${judgeRows} judged${inexact}${prepared}. ${it.reason}`,
  ];
}

/** By Athena's own statistics, by which it bills. */
const bytesText = ({ snapshot, counts, rows }: NonNullable<Evidence['bytesRead']>) =>
  `prepared by reading ${megabytes(snapshot + counts + rows)} (snapshot ${megabytes(snapshot)})`;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function section(name: string, texts: readonly string[]): Line[] {
  return texts.length === 0 ? [[name, 'none']] : texts.map((text, index) => [index === 0 ? name : '', text]);
}

if (import.meta.main) await runCommand(command);
