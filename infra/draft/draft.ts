import { isRejection, makeDecoder } from '../../shared/changes/decode.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { placeText } from '../../shared/definition/item-path.ts';
import { FEATURES_MAX, type FeatureGroupInput, RESERVED_NAMES } from '../../shared/definition/schema.ts';
import { defineFeatureGroup, equals, startsWith } from '../../shared/feature-groups/define.ts';
import { isOf, type Kind } from './entity.ts';
import { featureOf, type Guess, guess, isPersonal, nameOf, type Word } from './guess.ts';
import { guessLabel, type LabelGuess, whyLabel } from './label.ts';
import { type Place, placesOf } from './places.ts';
import type { Item, Sample } from './sample.ts';

/** A feature of a draft. */
export interface DraftedFeature {
  readonly name: string;
  readonly place: Place;
  readonly word: Word;
  readonly why: string;
}

/** A definition that takes in every item of a sample, with what it was guessed from. */
export interface Draft {
  readonly name: string;
  readonly table: string;
  readonly key: NonNullable<Sample['key']>;
  readonly identifier: string;
  readonly kind: Kind | undefined;
  readonly features: readonly DraftedFeature[];
  readonly label: { readonly name: string; readonly guess: LabelGuess; readonly why: string } | undefined;
  /** Places that no feature takes in, and why. */
  readonly leftOut: readonly { readonly place: string; readonly why: string }[];
  /** What a person should look at, in sentences. */
  readonly notes: readonly string[];
  readonly items: number;
  readonly group: FeatureGroup;
}

/** What a draft is made of, beside the items. */
export interface DraftOptions {
  readonly name: string;
  readonly table: string;
  readonly key: NonNullable<Sample['key']>;
  readonly kinds: readonly Kind[];
  readonly isStreamed?: boolean | undefined;
  /** Whether the items had no key of their own. */
  readonly isKeyMadeUp?: boolean;
}

/** The longest name. Source: CreateFeatureGroup. */
const NAME_CHARACTERS_MAX = 64;

/**
 * Drafts a definition. Every item of the kind that it describes is decoded by it before it is given back: a feature that
 * would reject one becomes a text, or is left out.
 *
 * @throws Error when no attribute can be a feature, or an item no record.
 *
 * @param kinds of {@link kindsOf}, the one to describe first.
 */
export function draft(all: readonly Item[], options: DraftOptions): Draft {
  const { key, kinds } = options;
  const [kind] = kinds;
  const items = kind ? all.filter((item) => isOf(item, kind)) : all;
  const places = placesOf(items, new Set(key.map(({ name }) => name)));
  const { label: found, candidates } = guessLabel(places);
  const guesses = new Map<Place, Guess>(places.filter((it) => it !== found?.place).map((it) => [it, guess(it)]));
  for (;;) {
    const made = assembled(items.length, { ...options, kind, guesses, found, candidates });
    const culprit = culpritOf(items, made);
    if (!culprit) return made;
    guesses.set(culprit.place, weaker(culprit));
  }
}

interface Parts extends DraftOptions {
  readonly kind: Kind | undefined;
  readonly guesses: ReadonlyMap<Place, Guess>;
  readonly found: LabelGuess | undefined;
  readonly candidates: readonly string[];
}

function assembled(items: number, parts: Parts): Draft {
  const { name, table, key, kind, guesses, found, kinds, candidates, isStreamed, isKeyMadeUp } = parts;
  const taken = new Set([...RESERVED_NAMES]);
  const identifier = distinct(
    key.length === 1 ? (key[0]?.name ?? '') : `${kind ? words(kind.text) : 'record'}_id`,
    taken,
  );
  const labelName = found && distinct(nameOf(found.place), taken);
  const features: DraftedFeature[] = [];
  const leftOut: Draft['leftOut'][number][] = [];
  for (const [place, { word, why }] of guesses) {
    const at = placeText({ attribute: place.path[0], path: place.path });
    if (word && features.length < FEATURES_MAX - 3) {
      features.push({ name: distinct(place.path.join('_'), taken), place, word, why });
    } else leftOut.push({ place: at, why: word ? `Feature Store takes ${FEATURES_MAX} features at most` : why });
  }
  if (features.length === 0) {
    const why = leftOut.map(({ place, why }) => `${place}: ${why}`).join('; ');
    throw new Error(`No attribute of the sample beside the key can be a feature${why && ` (${why})`}.`);
  }
  const trains = features.some(({ word }) => word.word !== 'string' && word.options.training !== false);
  const label =
    found && labelName !== undefined && trains ? { name: labelName, guess: found, why: whyLabel(found) } : undefined;
  const notes = [
    ...(isKeyMadeUp ? [`No attribute tells the items apart: the table's key is taken to be ${key[0]?.name}.`] : []),
    ...notesOnKinds(kinds),
    ...(isStreamed === false ? [`The table ${table} has no stream of both images: switch NEW_AND_OLD_IMAGES on.`] : []),
    ...notesOnLabel(label?.name, found && nameOf(found.place), candidates),
    ...leftOut.map(({ place, why }) => `${place} is left out: ${why}.`),
    ...personalNotes(features),
  ];
  const about = { name, table, key, identifier, kind, features, label, leftOut, notes, items };
  return { ...about, group: defineFeatureGroup(inputOf(about)) };
}

function notesOnKinds([kind, ...others]: readonly Kind[]): string[] {
  if (!kind || others.length === 0) return [];
  const listed = others.map(({ text, items }) => `${text} (${items})`).join(', ');
  return [
    `The table holds several kinds of items. This definition takes those of ${kind.text}, and skips ${listed}: give each a definition of its own, by --kind.`,
  ];
}

function notesOnLabel(label: string | undefined, found: string | undefined, candidates: readonly string[]): string[] {
  const others = candidates.length > 0 ? ` Other attributes of two values: ${candidates.join(', ')}.` : '';
  if (label !== undefined) {
    return [
      `Is ${label} what a model is to predict?${others}`,
      'Give `training: false` to features that are known only once the label is.',
    ];
  }
  const why =
    found === undefined ? 'no attribute is called like an outcome' : `nothing could be learned beside ${found}`;
  return [`There is no label, as ${why}: the stack trains nothing. A label is { label: { name: '…' } }.${others}`];
}

function personalNotes(features: readonly DraftedFeature[]): string[] {
  const personal = features.filter(({ place }) => isPersonal(place)).map(({ name }) => name);
  return personal.length === 0
    ? []
    : [`Looks like personal data, by its name: ${personal.join(', ')}. Take out what nobody needs in the stores.`];
}

/** What `defineFeatureGroup` is given. */
export function inputOf(it: Omit<Draft, 'group'>): FeatureGroupInput {
  const { name, table, key, identifier, kind, label, features } = it;
  const attributes = key.map((one) => one.name);
  const types = key.map(({ type }) => type);
  const isPlain = key.length === 1 && types[0] === 'S' && attributes[0] === identifier;
  return {
    name,
    ...(table !== name && { table }),
    recordIdentifier: isPlain
      ? identifier
      : { name: identifier, attributes, ...(types.includes('N') && { types: [...types] }) },
    ...(kind && { items: { [kind.attribute]: kind.holds === 'equals' ? equals(kind.text) : startsWith(kind.text) } }),
    features: Object.fromEntries(
      features.map((feature) => [feature.name, featureOf(feature.word, placeOptions(feature))]),
    ),
    ...(label && { label: labelInput(label) }),
  } as FeatureGroupInput;
}

/** How a feature says where it stands, unless its name does. */
export function placeOptions({ name, place: { path } }: DraftedFeature): { path?: Place['path']; attribute?: string } {
  if (path.length > 1 || /[.[\]]/.test(path[0])) return { path };
  return path[0] === name ? {} : { attribute: path[0] };
}

/** The label as a definition says it. */
export function labelInput({ name, guess: { place, values } }: NonNullable<Draft['label']>) {
  return { name, ...(nameOf(place) !== name && { attribute: nameOf(place) }), ...(values && { values }) };
}

/** The feature that rejects an item of the sample. @throws Error when an item is rejected for another reason. */
function culpritOf(items: readonly Item[], { group, features }: Draft): DraftedFeature | undefined {
  const decode = makeDecoder(group);
  for (const [index, item] of items.entries()) {
    const Keys = Object.fromEntries(group.recordIdentifier.attributes.map((name) => [name, item[name]]));
    const dynamodb = {
      ApproximateCreationDateTime: 0,
      Keys,
      NewImage: item,
      SequenceNumber: '1',
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    };
    const decoded = decode({ eventName: 'INSERT', dynamodb });
    if (!isRejection(decoded)) continue;
    const path = decoded.path.replace('dynamodb.NewImage.', '');
    const culprit = features.find(({ place }) => placeText({ attribute: place.path[0], path: place.path }) === path);
    if (culprit) return culprit;
    throw new Error(`Item ${index + 1} of the sample cannot be a record: ${decoded.message} (${decoded.path})`);
  }
  return undefined;
}

/** What takes in more: a text, if all values can be one; otherwise nothing does. */
function weaker({ place, word, why }: DraftedFeature): Guess {
  const isText = ![...place.types].some((it) => ['N', 'BOOL', ''].includes(it));
  const optional = place.values.length < place.items;
  return word.word !== 'string' && isText
    ? { word: { word: 'string', options: optional ? { optional } : {} }, why: `${why}; kept as text` }
    : { word: undefined, why: `${why}; no feature takes them all` };
}

/** A name that Feature Store takes, and that nothing else has. */
function distinct(text: string, taken: Set<string>): string {
  const base = words(text)
    .slice(0, NAME_CHARACTERS_MAX - 4)
    .replace(/[-_]+$/, '');
  let name = base;
  for (let n = 2; taken.has(name.toLowerCase()); n += 1) name = `${base}_${n}`;
  taken.add(name.toLowerCase());
  return name;
}

/** Letters, digits and what may stand between them. */
const words = (text: string): string => text.replace(/[^a-zA-Z0-9_-]+/g, '_').replace(/^[-_]+|[-_]+$/g, '') || 'value';

/** A name for a definition, from that of a table or a file. */
export const definitionName = (text: string): string =>
  words(text)
    .slice(0, NAME_CHARACTERS_MAX)
    .replace(/[-_]+$/, '');
