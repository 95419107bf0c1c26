import type { Evidence } from '../../shared/state/evidence.ts';
import { type RetrainingStatus, readStatus } from '../../shared/training/status.ts';
import { readOptions, runCommand } from '../terminal/command.ts';
import { deployedStack, STACK_OPTIONS } from './stack.ts';

const USAGE = 'npm run status -- [--definition NAME|FILE] [--stage dev] [--json] [--verbose]';

/** Columns of the names on the left. */
const LABEL_WIDTH = 14;

/** How the retraining of a deployed stack stands. */
async function status(): Promise<number> {
  const { values: options } = readOptions(USAGE, { ...STACK_OPTIONS, json: { type: 'boolean', default: false } });
  const stack = await deployedStack(options);
  try {
    const found = await readStatus(stack.table, stack.group, stack.config, Date.now());
    const answer = { featureGroup: stack.group.name, ...found };
    console.log(options.json ? JSON.stringify(answer, undefined, 2) : render(answer).join('\n'));
    return 0;
  } finally {
    stack.close();
  }
}

function render(it: RetrainingStatus & { featureGroup: string }): string[] {
  const { labels, next, inFlight, serving, lastFailure } = it;
  return [
    line(it.featureGroup, `at ${it.at}, endpoint ${it.endpoint ?? 'none yet'}`),
    line('Labels', `${labels.total} in epoch ${it.epoch} (${labels[0]} of class 0, ${labels[1]} of class 1)`),
    line('Next', `${next.decision}: ${next.reason}`),
    ...missingLines(next.missing),
    line('In flight', inFlight ? inFlight.executionName : 'nothing'),
    line('Serving', serving ? `${serving.modelName}, schema ${serving.schemaHash}` : 'no model yet'),
    ...(serving?.rolledBack
      ? [line('', `put back at ${serving.rolledBack.at} from ${serving.rolledBack.from}: ${serving.rolledBack.reason}`)]
      : []),
    ...section('Trainings', it.trainings.flatMap(trainingLines)),
    line(
      'Last failure',
      lastFailure
        ? `${new Date(lastFailure.failedAtMs).toISOString()} epoch ${lastFailure.epoch}, attempt ${lastFailure.attempt}: ${lastFailure.error}`
        : 'none',
    ),
    ...(lastFailure ? [line('', lastFailure.cause)] : []),
    ...section(
      'Decisions',
      it.decisions.map(({ at, decision, reason }) => `${at} ${decision}: ${reason}`),
    ),
  ];
}

function missingLines({ labels, perClass, notBefore }: RetrainingStatus['next']['missing']): string[] {
  const classes = (['0', '1'] as const).flatMap((label) =>
    perClass[label] > 0 ? `${perClass[label]} of class ${label}` : [],
  );
  const missing = [...(labels > 0 ? [`${labels} labels`] : []), ...classes];
  return [
    ...(missing.length > 0 ? [line('Missing', missing.join(', '))] : []),
    ...(notBefore ? [line('Not before', notBefore)] : []),
  ];
}

function trainingLines(it: Evidence): string[] {
  const { trainRows = 0, validationRows = 0, inexactRows = 0 } = it.counts;
  const inexact = inexactRows > 0 ? `, ${inexactRows} of them with features that may be of after their label` : '';
  const decided = it.decision === 'promote' ? 'promoted' : 'refused';
  const back = it.rolledBackAt ? `, rolled back at ${it.rolledBackAt}: ${it.rollbackReason}` : '';
  return [
    `epoch ${it.epoch}, attempt ${it.attempt}, ${it.closedAt}: ${it.modelName} ${decided}${back}`,
    `  ${trainRows} rows trained, ${validationRows} validated${inexact}. ${it.reason}`,
  ];
}

function section(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [line(name, 'none')] : lines.map((text, index) => line(index === 0 ? name : '', text));
}

function line(name: string, text: string): string {
  return `${name.padEnd(LABEL_WIDTH)} ${text}`;
}

await runCommand(status);
