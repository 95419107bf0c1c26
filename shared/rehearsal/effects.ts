/** The effects of an invocation of ingest, and how those of two versions compare. */

/** What one invocation would have written: a digest by place. Places and digests tell nothing of what is in a record. */
export type Effects = Readonly<Record<string, string>>;

/** Event that asks ingest for a rehearsal. `now` stands still for both versions, in epoch milliseconds. */
export interface RehearsalEvent {
  readonly rehearsal: { readonly now: number };
  readonly Records: readonly unknown[];
}

/** An invocation by CodeDeploy's hook, and not by the stream. */
export function isRehearsal(event: object): event is RehearsalEvent {
  return 'rehearsal' in event;
}

/**
 * Places where the next version would write something else: missing, different or extra. Features and columns that a
 * definition has gained may be extra.
 */
export function differences(live: Effects, next: Effects): string[] {
  const rows = new Set(Object.keys(live).map(parentOf));
  const gained = (place: string) => /^(online|change-log)\//.test(place) && rows.has(parentOf(place));
  const lost = Object.keys(live).filter((place) => next[place] !== live[place]);
  const more = Object.keys(next).filter((place) => !(place in live) && !gained(place));
  return [...lost, ...more].sort();
}

const parentOf = (place: string): string => place.slice(0, place.lastIndexOf('/'));
