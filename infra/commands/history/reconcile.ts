import { randomUUID } from 'node:crypto';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { chunksOf } from '../../../shared/calls/chunks.ts';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { REPAIRS_PER_CALL_MAX, type RepairAnswer, type RepairItem } from '../../../shared/delivery/repair-items.ts';
import { deliveryLag } from '../../../shared/history/reconcile/lag.ts';
import { keysOf, onlineReader, tableReader } from '../../../shared/history/reconcile/readers.ts';
import { type Plan, type Reconciled, reconcile } from '../../../shared/history/reconcile/reconcile.ts';
import type { Stores } from '../../../shared/history/reconcile/stores.ts';
import { type Difference, judgeSuspects } from '../../../shared/history/reconcile/suspects.ts';
import { readWaiting } from '../../insight/quarantine.ts';
import type { Sources } from '../../insight/sources.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import {
  choiceOf,
  definitionOption,
  jsonFlag,
  readUnitsOption,
  regionOption,
  stageOption,
  wholeNumber,
} from '../../terminal/options.ts';
import { progressTo } from '../../terminal/progress.ts';
import { styleOf } from '../../terminal/style.ts';
import { withSources } from '../data/sources.ts';
import { configOf, EXAMPLE, invokeFunction, STAGE, type Target } from '../target.ts';
import { isWholeEqual, reconciledText, type Told, toldDifference } from './differences.ts';
import { logReader } from './logged-records.ts';
import { pausing } from './pausing.ts';

/** Records of the online store in a sample: if none differs, fewer than 1 in 1,000 do, with 95 % confidence. */
const SAMPLE = 3_000;
const SAMPLE_MAX = 1_000_000;

/** How much longer than Firehose's buffer a change may take to arrive, in seconds. */
const ARRIVAL_SECONDS = 60;
const SETTLE_SECONDS_MAX = 86_400;

/** Objects of the quarantine bucket that are looked into for causes. */
const WAITING_OBJECTS_MAX = 10_000;

const INTERRUPTED = 'Interrupted: nothing was compared to the end.';

export const command = newCommand(
  'reconcile',
  'Compares both stores with the table. The exit code is 0 only if they are equal.',
)
  .option(
    '--online <sample|all|none>',
    'how the online store is compared',
    choiceOf('online', ['sample', 'all', 'none']),
    'sample',
  )
  .option('--sample <N>', 'records of a sample', wholeNumber('sample', 1, SAMPLE_MAX), SAMPLE)
  .option('--no-change-log', 'do not compare the change log')
  .option('--repair', 'make different records what their items are now, as a redrive does')
  .option('--show', 'tell the values that differ, too, which may be personal data')
  .addOption(readUnitsOption())
  .option(
    '--settle <SECONDS>',
    `how long a change takes to arrive; without it, Firehose's buffer and ${ARRIVAL_SECONDS} seconds`,
    wholeNumber('settle', 1, SETTLE_SECONDS_MAX),
  )
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting((options) =>
      withSources(options, (sources, signal, target) => compare({ sources, signal, target }, options)),
    ),
  );

interface Around {
  readonly sources: Sources;
  readonly signal: AbortSignal;
  readonly target: Target;
}

interface Options {
  readonly online: 'sample' | 'all' | 'none';
  readonly sample: number;
  readonly changeLog: boolean;
  readonly repair?: true;
  readonly show?: true;
  readonly readUnits: number;
  readonly settle?: number;
  readonly json?: true;
}

async function compare(around: Around, options: Options): Promise<number> {
  const { group } = around.sources;
  if (options.online === 'none' && !options.changeLog)
    throw new Error('Nothing is to be compared: leave one of --online none and --no-change-log out.');
  const stores = storesOf(around, options);
  const progress = progressTo(process.stderr);
  const cloudWatch = new CloudWatchClient(around.target.settings);
  try {
    const plan = await planOf(around, options, progress, cloudWatch);
    let found: Reconciled = await reconcile(group, stores, plan);
    const repairs = options.repair ? await repairAll(around, found.differences) : { repaired: 0, unrepaired: [] };
    if (repairs.repaired > 0) {
      plan.onProgress('Looking at what was repaired', repairs.repaired);
      const ids = [...new Set(found.differences.map(({ id }) => id))];
      found = { ...found, ...(await judgeSuspects(group, stores, ids, plan)) };
    }
    progress.done(`${found.records} records`);
    const waiting = found.differences.length > 0 ? await waitingIdentifiers(around.sources) : new Set<string>();
    const { records, comparedOnline, changing, late, nameless, more } = found;
    const told: Told = {
      equal: isWholeEqual(found),
      ...{ records, comparedOnline, changeLog: options.changeLog, changing, late, nameless, more },
      ...repairs,
      differences: found.differences.map((it) => toldDifference(group, it, waiting, options.show ?? false)),
    };
    console.log(options.json ? JSON.stringify(told, undefined, 2) : reconciledText(told, styleOf(process.stdout)));
    return told.equal ? 0 : 1;
  } finally {
    cloudWatch.destroy();
    progress.close();
  }
}

function storesOf({ sources, signal }: Around, { changeLog, readUnits }: Options): Stores {
  const { group, dynamodb, featureStore } = sources;
  return {
    table: tableReader(group, dynamodb, { readUnits, time: systemTime }),
    online: onlineReader(group, featureStore, systemTime),
    log: changeLog ? logReader(sources, signal) : undefined,
  };
}

async function planOf(
  { target: { group, names, settings }, signal }: Around,
  { online, sample, settle }: Options,
  progress: ReturnType<typeof progressTo>,
  cloudWatch: CloudWatchClient,
): Promise<Plan> {
  const { changeLogBufferSeconds } = await configOf(group, `${names.stack}-retrain`, settings);
  let current = '';
  return {
    online: online === 'all' ? online : online === 'none' ? 0 : sample,
    salt: randomUUID(),
    settleMs: (settle ?? changeLogBufferSeconds + ARRIVAL_SECONDS) * 1_000,
    lagMs: () => deliveryLag(`${names.stack}-ingest`, cloudWatch),
    time: {
      sleep: (ms) => pausing(ms, signal, INTERRUPTED),
    },
    onProgress(step, records) {
      if (signal.aborted) throw new Error(INTERRUPTED);
      if (step !== current) progress.step(step);
      current = step;
      progress.at(`${records} records`);
    },
  };
}

/** Has the function redrive make records what their items are now. */
async function repairAll(
  { sources: { group }, target: { names, settings } }: Around,
  differences: readonly Difference[],
): Promise<Pick<Told, 'repaired' | 'unrepaired'>> {
  const known = new Map(
    differences.filter(({ known: { item } }) => item?.rejection === undefined).map((it) => [it.id, it.known]),
  );
  const items = [...known].map(([id, { online, logged }]): RepairItem => {
    const times = [online, logged].map((it) => Date.parse(it?.eventTime ?? '') || 0);
    return { id, keys: keysOf(group, id), knownMs: Math.max(...times), sequenceNumber: logged?.sequenceNumber ?? '0' };
  });
  const unrepaired: { id: string; reason: string }[] = [];
  for (const some of chunksOf(items, REPAIRS_PER_CALL_MAX)) {
    const request = { action: 'repair', items: some };
    unrepaired.push(...(await invokeFunction<RepairAnswer>(`${names.stack}-redrive`, settings, request)).unrepaired);
  }
  return { repaired: items.length - unrepaired.length, unrepaired };
}

/** Identifiers of the records of which something waits in the quarantine bucket. */
async function waitingIdentifiers(sources: Sources): Promise<ReadonlySet<string>> {
  const { groups } = await readWaiting(sources, WAITING_OBJECTS_MAX);
  return new Set(groups.flatMap(({ items }) => items.map(({ item }) => item)));
}

if (import.meta.main) await runCommand(command);
