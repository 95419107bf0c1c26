import type { Random } from '../world/random.ts';

/**
 * Everything that goes wrong in a simulated world, by the words it is told in. The number is the chance at each
 * opportunity in the worst of worlds; a profile scales it, and leaves some kinds out altogether.
 */
const WORST = {
  'a call was throttled': 0.15,
  'a call failed before its effect': 0.1,
  'the answer of a call was lost after its effect': 0.1,
  'a call was slow': 0.1,
  'a call took seconds': 0.01,
  'a call was never answered': 0.003,
  'a call was made with an expired token': 0.01,
  'a call was too large': 0,
  'a service was down for minutes': 0.001,
  'a service denied access for minutes': 0.0005,
  'the invocation crashed before a call': 0.01,
  'the invocation crashed after a call': 0.01,
  'an entry was left unprocessed': 0.1,
  'an entry was answered as an error': 0.1,
  'an entry was written and answered as an error': 0.05,
  'a batch write was refused whole for one invalid entry': 0.5,
  'a key was left unprocessed': 0.1,
  'a statement was throttled': 0.1,
  'a statement took effect and failed': 0.05,
  'a Firehose record failed': 0.15,
  'a Firehose record was taken and answered as failed': 0.1,
  'Firehose delivered rows twice': 0.2,
  'Firehose delivered rows late': 0.2,
  'Lambda refused to invoke': 0.05,
  'the answer of an invocation was lost': 0.05,
  'an invocation was given up while it ran on': 0.05,
  'an invocation was run twice at once': 0.05,
  'an answered batch was delivered again': 0.05,
  'the poller restarted from an old checkpoint': 0.02,
  'a shard was split': 0.003,
  'the creation clock stepped': 0.4,
  'the stream was made anew': 0.0005,
  'the stream trimmed unread records': 0,
  'an execution failed': 0.4,
  'an execution vanished without a word': 0.2,
  'the schedule did not run': 0.2,
} as const;

export type FaultKind = keyof typeof WORST;
export const FAULT_KINDS = Object.keys(WORST) as FaultKind[];

/** Decides which opportunities go wrong, and counts those that did. */
export class Faults {
  readonly counts = new Map<FaultKind, number>();
  /** False ends the weather: what is still open can then be finished. */
  enabled = true;
  readonly #random: Random;
  readonly #rates: Record<FaultKind, number>;
  readonly #without: ReadonlySet<FaultKind>;

  /**
   * @param intensity 0 (nothing goes wrong) to 1 (the worst).
   * @param never kinds that this world does not have.
   * @param without kinds that are left out of a world that has them: the chances of the others remain as they were.
   */
  constructor(
    random: Random,
    intensity: number,
    never: readonly FaultKind[] = [],
    without: ReadonlySet<FaultKind> = new Set(),
  ) {
    this.#random = random;
    this.#without = without;
    const rate = (kind: FaultKind) =>
      random.chance(0.25) || never.includes(kind) ? 0 : WORST[kind] * intensity * random.next();
    this.#rates = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, rate(kind)])) as Record<FaultKind, number>;
  }

  strikes(kind: FaultKind): boolean {
    const rate = this.#rates[kind];
    if (!this.enabled || rate === 0 || this.#random.next() >= rate || this.#without.has(kind)) return false;
    this.note(kind);
    return true;
  }

  note(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
