/** The effects of an invocation of ingest, and how those of two versions compare. */

/**
 * What one invocation would have written: a digest by place. Places and digests are keyed with a secret that is forgotten,
 * so that they tell nothing of what is in a record: without it, one of a few values or identifiers is found by trying.
 */
export type Effects = Readonly<Record<string, string>>;

/** Event that asks ingest for a rehearsal. */
export interface RehearsalEvent {
  readonly rehearsal: {
    /** Stands still for both versions, in epoch milliseconds. */
    readonly now: number;
    /** Of the digests: random, and the same for both versions. */
    readonly key: string;
  };
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
  const forms = fenceForms(live).filter((form) => fenceForms(next).includes(form));
  return changesOf(fencesLike(live, forms), fencesLike(next, forms));
}

/**
 * Whether each version finds the fences that the other leaves: both leave one form, or one of them leaves none. Two that
 * do not must never share a shard, whatever else of them differs.
 */
export function findFencesOfEachOther(live: Effects, next: Effects): boolean {
  const [ofLive, ofNext] = [fenceForms(live), fenceForms(next)];
  return ofLive.length === 0 || ofNext.length === 0 || ofLive.some((form) => ofNext.includes(form));
}

const FENCE = /^state\/fences?\//;

/** Fences as items, as pages, or as both. */
function fenceForms(effects: Effects): string[] {
  const forms = Object.keys(effects).flatMap((place) => FENCE.exec(place)?.[0] ?? []);
  return [...new Set(forms)];
}

/** A form that one version alone leaves says nothing: the other finds what it needs in the form that both leave. */
function fencesLike(effects: Effects, forms: readonly string[]): Effects {
  const kept = Object.entries(effects).filter(
    ([place]) => !FENCE.test(place) || forms.some((it) => place.startsWith(it)),
  );
  return Object.fromEntries(kept);
}

function changesOf(live: Effects, next: Effects): string[] {
  const rows = new Set(Object.keys(live).map(parentOf));
  const gained = (place: string) => /^(online|change-log)\//.test(place) && rows.has(parentOf(place));
  const lost = Object.keys(live).filter((place) => next[place] !== live[place]);
  const more = Object.keys(next).filter((place) => !(place in live) && !gained(place));
  return [...lost, ...more].sort();
}

const parentOf = (place: string): string => place.slice(0, place.lastIndexOf('/'));
