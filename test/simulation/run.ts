import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { exiting, newCommand, runCommand } from '../../infra/terminal/command.ts';
import { jsonFile, wholeNumber } from '../../infra/terminal/options.ts';
import { progressTo } from '../../infra/terminal/progress.ts';
import { FAULT_KINDS } from './aws/faults.ts';
import { exampleInWords } from './example.ts';
import { BACKFILL_MUTANTS } from './mutants/backfill-mutants.ts';
import { runMutant } from './mutants/mutant-runs.ts';
import { MUTANTS } from './mutants/mutants.ts';
import type { RunResult, Telling } from './simulate.ts';
import { SimulationThread } from './workers.ts';

const CHANGES_PER_SEED = 1_000;
const SEEDS_DEFAULT = 200;
/** More than two threads would slow each other down on the machines this is meant for. */
const THREADS_MAX = 2;

/** Of so many seeds one has the real SQL run on its change log. */
const SEEDS_PER_SQL = 20;
/** Violations that are told with their stories. */
const STORIES_MAX = 3;

const SEED_MAX = 999_999_999;

export const command = newCommand(
  'simulate',
  'Holds the pipeline to its promises under every fault, by seeds. The exit code is 1 when a promise is broken.',
)
  .option('--seed <N>', 'replay this seed, and tell the story of its violation', wholeNumber('seed', 1, SEED_MAX))
  .option('--seeds <N>', `run the seeds 1 to N; ${SEEDS_DEFAULT} without --changes`, wholeNumber('seeds', 1, SEED_MAX))
  .option(
    '--changes <N>',
    `changes in all, in seeds of ${CHANGES_PER_SEED}; with --seed, of that seed`,
    wholeNumber('changes', 1, SEED_MAX),
  )
  .option('--mutants', 'run the mutants, each of which must be caught')
  .option('--example', 'tell of one lost update: by the obvious ways it is lost, here it is not')
  .addOption(jsonFile())
  .action(
    exiting(async ({ seed, seeds, changes, mutants, example, json }) => {
      if (example) {
        console.log((await exampleInWords()).join('\n'));
        return 0;
      }
      if (mutants) return runMutants(json);
      if (seed !== undefined) return runSeeds([seed], changes ?? CHANGES_PER_SEED, json);
      const count = seeds ?? (changes === undefined ? SEEDS_DEFAULT : Math.ceil(changes / CHANGES_PER_SEED));
      const each = changes === undefined ? CHANGES_PER_SEED : Math.ceil(changes / count);
      const all = Array.from({ length: count }, (_, index) => index + 1);
      return runSeeds(all, each, json);
    }),
  );

interface Summary {
  readonly seeds: number;
  readonly changes: number;
  readonly violations: number;
  readonly seconds: number;
  readonly [figure: string]: unknown;
}

async function runSeeds(seeds: readonly number[], changes: number, json: string | undefined): Promise<number> {
  const startedAt = performance.now();
  const results: RunResult[] = [];
  const queue = [...seeds];
  const progress = progressTo(process.stderr);
  progress.step('Simulating');
  try {
    await Promise.all(
      Array.from({ length: threads(seeds.length) }, async () => {
        const thread = new SimulationThread();
        for (let seed = queue.shift(); seed !== undefined; seed = queue.shift()) {
          const result = await thread.run({
            seed,
            changes,
            telling: tellingOf(seeds, results),
            sql: hasSql(seed, seeds),
          });
          results.push(result);
          if (result.violation) tell(result, changes);
          progress.at(`${results.length} of ${seeds.length} seeds`, results.length / seeds.length);
        }
        await thread.close();
      }),
    );
    progress.done(`${seeds.length} seeds`);
  } finally {
    progress.close();
  }
  const summary = summarize(results, (performance.now() - startedAt) / 1_000);
  print(summary);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(summary, null, 2)}\n`);
  return summary.violations === 0 ? 0 : 1;
}

/** The real SQL takes as long as a seed, so only a share of the seeds has it; and one that is replayed. */
const hasSql = (seed: number, seeds: readonly number[]) => seeds.length === 1 || seed % SEEDS_PER_SQL === 0;

/** A seed that is replayed is told in few steps, and the first few of many as they are. */
function tellingOf(seeds: readonly number[], results: readonly RunResult[]): Telling {
  if (seeds.length === 1) return 'shrunk';
  return results.filter((it) => it.violation).length < STORIES_MAX ? 'whole' : 'none';
}

function tell({ seed, violation }: RunResult, changes: number): void {
  console.log(`\nVIOLATION  ${violation?.invariant}\n${violation?.story.join('\n') || violation?.message}`);
  console.log(`Replay: npm run simulate -- --seed ${seed} --changes ${changes}\n`);
}

function summarize(results: readonly RunResult[], seconds: number): Summary {
  const sum = (figure: (result: RunResult) => number) => results.reduce((total, it) => total + figure(it), 0);
  return {
    seeds: results.length,
    changes: sum((it) => it.changes),
    simulatedMinutes: sum((it) => it.simulatedMinutes),
    batches: sum((it) => it.batches),
    calls: sum((it) => it.calls),
    shards: sum((it) => it.shards),
    recordsDeliveredAgain: sum((it) => it.redelivered),
    recordsQuarantined: sum((it) => it.quarantined),
    recordsGivenUpByLambda: sum((it) => it.discarded),
    labels: sum((it) => it.measures.labels),
    labelsCountedAfterTheClaimOfTheirEpoch: sum((it) => it.measures.lateLabels),
    trainings: sum((it) => it.trainings),
    rowsLoggedAgainWithTheSameEventTime: sum((it) => it.measures.sameEventTime),
    rowsLoggedAgainWithAnEarlierOneThatCannotWin: sum((it) => it.measures.earlierEventTime),
    faults: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, sum((it) => it.faults[kind] ?? 0)])),
    violations: sum((it) => (it.violation ? 1 : 0)),
    violatedSeeds: results.filter((it) => it.violation).map((it) => it.seed),
    seconds: Math.round(seconds * 10) / 10,
  };
}

function print({ faults, violatedSeeds, ...figures }: Summary): void {
  for (const [name, figure] of Object.entries(figures)) {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    console.log(`${words.padEnd(48)} ${Number(figure).toLocaleString('en-US').padStart(14)}`);
    if (name !== 'rowsLoggedAgainWithAnEarlierOneThatCannotWin') continue;
    console.log('what went wrong');
    for (const [kind, count] of Object.entries(faults as Record<string, number>)) {
      console.log(`  ${kind.padEnd(46)} ${count.toLocaleString('en-US').padStart(14)}`);
    }
  }
  if ((violatedSeeds as number[]).length > 0)
    console.log(`seeds with violations: ${(violatedSeeds as number[]).join(' ')}`);
}

async function runMutants(json: string | undefined): Promise<number> {
  const all = [...MUTANTS, ...BACKFILL_MUTANTS];
  const queue = [...all.keys()];
  const runs = new Map<number, Awaited<ReturnType<typeof runMutant>>>();
  await Promise.all(
    Array.from({ length: threads(queue.length) }, async () => {
      for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
        const mutant = all[at];
        if (!mutant) continue;
        const run = await runMutant(mutant);
        runs.set(at, run);
        console.error(
          `${runs.size} of ${all.length}  ${run.mutant}: ${run.caughtBy ?? 'NOT CAUGHT'} (seed ${run.seed})`,
        );
      }
    }),
  );
  const table = [...runs].sort(([a], [b]) => a - b).map(([, run]) => run);
  console.log(`${'mutant'.padEnd(52)} ${'caught by'.padEnd(66)} seed     steps`);
  for (const { mutant, caughtBy, seed, steps } of table) {
    console.log(
      `${mutant.padEnd(52)} ${(caughtBy ?? 'NOT CAUGHT').padEnd(66)} ${String(seed).padStart(4)} ${String(steps).padStart(9)}`,
    );
  }
  const missed = table.filter((it) => it.caughtBy === undefined).length;
  console.log(`${table.length - missed} of ${table.length} mutants caught`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(table, null, 2)}\n`);
  return missed === 0 ? 0 : 1;
}

function threads(work: number): number {
  return Math.max(1, Math.min(THREADS_MAX, availableParallelism(), work));
}

if (import.meta.main) await runCommand(command);
