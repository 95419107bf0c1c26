import { guess, nameOf } from './guess.ts';
import type { Place } from './places.ts';

/** Names of outcomes, the plainest first. */
const OUTCOMES = [
  /^(y|label|target|outcome)$/i,
  /^(is|has|was)?_?(churn(ed)?|return(ed)?|convert(ed)?|subscrib(ed)?|fraud(ulent)?|cancel(l)?ed|clicked|purchased|bought|paid|late|lost|won|approved|accepted|survived|defect(ive)?|failed)$/i,
];

/** Texts of the two classes as applications spell them. */
const SPELLINGS: readonly (readonly [negative: string, positive: string])[] = [
  ['n', 'y'],
  ['no', 'yes'],
  ['false', 'true'],
  ['f', 't'],
  ['0', '1'],
  ['off', 'on'],
];

/** A label as a definition has it. */
export interface LabelGuess {
  readonly place: Place;
  readonly values?: { readonly 0: readonly string[]; readonly 1: readonly string[] };
}

/** The label, if one of the places is called like an outcome; and what else has two values. */
export function guessLabel(places: readonly Place[]): { label?: LabelGuess; candidates: string[] } {
  const binary = places.flatMap((place) => {
    const label = place.path.length === 1 && !/[.[\]]/.test(nameOf(place)) ? asLabel(place) : undefined;
    return label ? [label] : [];
  });
  const named = OUTCOMES.flatMap((names) => binary.filter(({ place }) => names.test(nameOf(place))));
  const [label] = named;
  const candidates = binary.map(({ place }) => nameOf(place)).filter((name) => name !== (label && nameOf(label.place)));
  return { ...(label && { label }), candidates };
}

function asLabel(place: Place): LabelGuess | undefined {
  const [type = '', other] = place.types;
  if (other !== undefined || !['S', 'N', 'BOOL'].includes(type)) return undefined;
  const found = new Set(place.values.map((value) => String(value[type])));
  if (found.size !== 2) return undefined;
  if (type === 'BOOL' || (type === 'N' && found.has('0') && found.has('1'))) return { place };
  const spelled = SPELLINGS.find((it) => type === 'S' && [...found].every((text) => it.includes(text.toLowerCase())));
  if (!spelled) return undefined;
  const [negative, positive] = spelled.map((of) => [...found].filter((text) => text.toLowerCase() === of));
  return { place, values: { 0: negative ?? [], 1: positive ?? [] } };
}

/** Why it is the label, for its comment. */
export function whyLabel({ place }: LabelGuess): string {
  const [found = ''] = guess(place).why.split(';');
  return `${found}; two values, and called like an outcome`;
}
