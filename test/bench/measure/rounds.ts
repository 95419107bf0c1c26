/** What one contestant took, over all rounds. */
export interface Timing {
  readonly bestMs: number;
  readonly medianMs: number;
  /** Ninth decile over median: how much the rounds differ. */
  readonly spread: number;
}

export interface Contestant<Input> {
  /** Made anew before each run, outside of the time that is taken. */
  prepare(): Input;
  run(input: Input): unknown;
}

/**
 * Times contestants in rounds, each once a round and every round in another order, so that what the machine does
 * meanwhile falls on all of them. Time is the CPU's, of the whole process: collecting the garbage counts.
 */
export function timeInRounds(
  contestants: Readonly<Record<string, Contestant<unknown>>>,
  rounds: number,
  warmUpRounds = 6,
): Record<string, Timing> {
  const times = timesInRounds(contestants, rounds, warmUpRounds);
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, timingOf(list)]));
}

/** The milliseconds of each round that {@link timeInRounds} makes its timings of. */
export function timesInRounds(
  contestants: Readonly<Record<string, Contestant<unknown>>>,
  rounds: number,
  warmUpRounds = 6,
): Record<string, number[]> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  const names = Object.keys(contestants);
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const from = (round + warmUpRounds) % names.length;
    for (const name of [...names.slice(from), ...names.slice(0, from)]) {
      const contestant = contestants[name] as Contestant<unknown>;
      // No collection is forced here: it would throw optimized code away, which no Lambda does between two batches.
      const input = contestant.prepare();
      const start = process.cpuUsage();
      contestant.run(input);
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times[name]?.push((user + system) / 1_000);
    }
  }
  return times;
}

/** Bytes of the heap that a contestant allocates: the median, as a round in which garbage is collected says too little. */
export function allocatedBytes(contestant: Contestant<unknown>, rounds: number): number {
  const all = Array.from({ length: rounds }, () => {
    const input = contestant.prepare();
    const before = process.memoryUsage().heapUsed;
    const kept = contestant.run(input);
    const after = process.memoryUsage().heapUsed;
    return kept === undefined ? 0 : after - before;
  });
  return quantile(all, 0.5);
}

export function timingOf(times: readonly number[]): Timing {
  const medianMs = quantile(times, 0.5);
  return { bestMs: Math.min(...times), medianMs, spread: quantile(times, 0.9) / medianMs };
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
