/** What an answer repeats of a request, bounded: the caller knows what it sent, and the answer must stay small. */

/** Characters of one text of the caller's that are repeated. */
const CHARACTERS_MAX = 100;

/** Entries of a list that are named. */
export const LISTED_MAX = 10;

/** A value of the caller's as an answer repeats it. Lists and objects may be nested beyond what can be written. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return cut(typeof value === 'string' ? JSON.stringify(value) : String(value));
}

/** Texts joined by `separator`: the first ones, and how many more there are. */
export function listed(texts: readonly string[], separator = ', '): string {
  const more = texts.length - LISTED_MAX;
  const first = texts.slice(0, LISTED_MAX).map(cut).join(separator);
  return more > 0 ? `${first}${separator}and ${more} more` : first;
}

/** The first characters of a text, no character split in half. */
function cut(text: string): string {
  return text.length <= CHARACTERS_MAX ? text : `${text.slice(0, CHARACTERS_MAX).toWellFormed()}…`;
}
