import { FAULT_KINDS, type FaultKind } from '../aws/faults.ts';
import { type Cut, World } from '../world/world.ts';
import { Violation } from './violation.ts';

/** What it may take to shrink a seed: milliseconds. */
const SHRINK_MS_MAX = 60_000;

/** A seed with as little in it as was found to break the same promise. */
export interface Shrunk extends Cut {
  readonly violation: Violation;
  readonly writes: number;
  /** What is left, in words. */
  readonly words: string;
}

/**
 * Leaves out of a seed what its violation does not need: the writes of other records, kinds of faults, and single writes
 * by delta debugging. Each trial is a run of the seed; chance goes on as it was, so the same trial always goes the same
 * way.
 *
 * @see Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002)
 */
export async function shrink(seed: number, changes: number, violation: Violation): Promise<Shrunk> {
  const end = performance.now() + SHRINK_MS_MAX;
  const whole = new World(seed, changes);
  await whole.run().catch(() => {});
  const { writes } = whole.table;
  let [kept, without, broken] = [[...writes.keys()], new Set<FaultKind>(), violation];

  /** Takes less, if the same promise is broken with it. */
  const take = async (fewer: number[], less: Set<FaultKind>): Promise<boolean> => {
    if (performance.now() > end) return false;
    const found = await violationOf(seed, changes, cutOf(fewer, less));
    if (found?.invariant !== violation.invariant) return false;
    [kept, without, broken] = [fewer, less, found];
    return true;
  };

  await take(
    kept.filter((write) => writes[write] === violation.recordIdentifier),
    without,
  );
  const struck = [...whole.faults.counts.keys()];
  const idle = FAULT_KINDS.filter((kind) => !struck.includes(kind));
  await take(kept, new Set(FAULT_KINDS));
  await take(kept, new Set([...without, ...idle]));
  for (const kind of struck) if (!without.has(kind)) await take(kept, new Set([...without, kind]));
  for (let parts = 2; parts <= kept.length; ) {
    const size = Math.ceil(kept.length / parts);
    let isLess = false;
    for (let from = 0; from < kept.length && !isLess; from += size) {
      isLess = await take(kept.toSpliced(from, size), without);
    }
    if (isLess) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(kept.length, parts * 2);
  }
  for (const kind of struck) if (!without.has(kind)) await take(kept, new Set([...without, kind]));

  const left = struck.filter((kind) => !without.has(kind));
  const faults = left.length > 0 ? left.join('; ') : 'nothing';
  const words = `Still broken with ${kept.length} of ${writes.length} writes, where this alone goes wrong: ${faults}.`;
  return { ...cutOf(kept, without), violation: broken, writes: kept.length, words };
}

function cutOf(kept: readonly number[], without: ReadonlySet<FaultKind>): Cut {
  const all = new Set(kept);
  return { isLeftOut: (write) => !all.has(write), without };
}

async function violationOf(seed: number, changes: number, cut: Cut): Promise<Violation | undefined> {
  try {
    await new World(seed, changes, cut).run();
    return undefined;
  } catch (error) {
    return error instanceof Violation ? error : undefined;
  }
}
