import { closest, distance } from 'fastest-levenshtein';

/** Largest share of a word's letters that a slip of the hand gets wrong. */
const MISSPELT_SHARE_MAX = 0.4;

/** The candidate that a misspelt word was probably meant to be; undefined when none is near. */
export function nearMatch(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const nearest = closest(word, candidates);
  return distance(word, nearest) <= Math.max(word.length, nearest.length) * MISSPELT_SHARE_MAX ? nearest : undefined;
}
