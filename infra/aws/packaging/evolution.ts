import { createHash } from 'node:crypto';
import { transformSync } from 'esbuild';
import { columnsOf, type FeatureGroup, type Label } from '../../../shared/definition/feature-group.ts';
import type { ItemCondition } from '../../../shared/definition/schema.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { featureType } from '../data/feature-group.ts';

/**
 * What of a definition cannot be changed once it is deployed. Feature Store only adds features; everything else of a
 * feature group, and a table's name and key, CloudFormation would have to replace: with the data that is in them.
 */
export interface LockedDefinition {
  readonly featureGroup: string;
  readonly table: string;
  /** Key attributes as `name type`, partition key first. */
  readonly key: readonly string[];
  readonly recordIdentifier: string;
  readonly eventTime: string;
  /** Columns of the change log in their order, as `name type`; the types are Feature Store's. */
  readonly columns: readonly string[];
  readonly description?: string;
  readonly owner?: string;
  /** Tags of the stack: they go on to the feature group, whose tags cannot be changed. */
  readonly stackTags: Readonly<Record<string, string>>;
  /** Which items are records, as a sentence; where all of them are, nothing. It may change. */
  readonly items?: string;
  /** Name of the label, where there is one. A label may come later, and none may go. */
  readonly label?: string;
  /** How the label's classes are spelled, where they are. A spelling may be added, and none may change its class. */
  readonly labelValues?: Readonly<Record<'0' | '1', readonly string[]>>;
  /** Classes of a label of several, in the order of their numbers. One may be added at the end, and none may change. */
  readonly labelClasses?: readonly string[];
  /** Derived features by name, each with a hash of its function and of what it is computed from. It stays. */
  readonly derived?: Readonly<Record<string, string>>;
  /** Hash of what decides the meaning of an encoded row. It may change: a lock of version 0.1.0 has none. */
  readonly schemaHash?: string;
}

export function lockOf(group: FeatureGroup, stackTags: LockedDefinition['stackTags']): LockedDefinition {
  const { name, attributes, types } = group.recordIdentifier;
  return {
    featureGroup: group.name,
    table: group.table,
    key: attributes.map((attribute, index) => `${attribute} ${types[index]}`),
    recordIdentifier: name,
    eventTime: group.eventTime.name,
    columns: columnsOf(group).map((column) => `${column.name} ${featureType(column.feature, group.label)}`),
    ...(group.description !== undefined && { description: group.description }),
    ...(group.owner !== undefined && { owner: group.owner }),
    stackTags,
    ...(group.items && { items: group.items.map(conditionText).join(' and ') }),
    ...(group.features.some((it) => it.derived) && { derived: derivedHashes(group) }),
    ...(group.label && {
      label: group.label.name,
      ...(group.label.values && { labelValues: spellingsOf(group.label.values) }),
      ...(group.label.classes && { labelClasses: group.label.classes.map(spellingOf) }),
      schemaHash: schemaHash(group),
    }),
  };
}

/** Of each derived feature, a hash of its function as it is without comments, spaces and names of its own. */
function derivedHashes({ features }: FeatureGroup): Record<string, string> {
  return Object.fromEntries(
    features.flatMap(({ name, derived }) =>
      derived ? [[name, hashOf(`${derived.from.join()} ${minified(derived.compute.toString())}`)] as const] : [],
    ),
  );
}

function minified(source: string): string {
  const options = { minify: true, target: 'node24' } as const;
  try {
    return transformSync(`export default (${source})`, options).code;
  } catch {
    // A method of an object literal is no expression by itself.
    return transformSync(`export default { ${source} }`, options).code;
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A feature that is stored has been computed by one function, or by none: another would not say the same. */
function derivedRefusals(locked: LockedDefinition, now: LockedDefinition): string[] {
  return locked.columns.map(nameOf).flatMap((name) => {
    const [before, after] = [locked.derived?.[name], now.derived?.[name]];
    if (before === after || !now.columns.some((it) => nameOf(it) === name)) return [];
    const what =
      before === undefined
        ? 'was no derived feature'
        : after === undefined
          ? 'was derived'
          : 'was derived by another function';
    return [`${name} ${what}: what is stored was computed so; give the new computation a feature of another name`];
  });
}

function spellingsOf(values: NonNullable<Label['values']>): Record<'0' | '1', readonly string[]> {
  return { 0: values[0].map(spellingOf), 1: values[1].map(spellingOf) };
}

const spellingOf = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));

/** Models, ledger and stores have the classes' numbers, so that a number stays with its class. */
function classRefusals(locked: LockedDefinition, now: LockedDefinition): string[] {
  if (isNewLabel(locked, now) || locked.label !== now.label) return [];
  const [before, after] = [locked.labelClasses, now.labelClasses];
  if ((before === undefined) !== (after === undefined)) {
    // A label that is a number, or was one, is a column of another type, which is refused already.
    const [was, is] = [locked, now].map((it) => it.labelClasses?.length ?? 'two');
    return [
      `the label had ${was} classes and has ${is}: a label stays of its kind; give the other one another name and attribute`,
    ];
  }
  return (before ?? []).flatMap((name, number) =>
    after?.[number] === name
      ? []
      : `class ${number} of the label was ${name} and is ${after?.[number] ?? 'gone'}: what is stored is of the first; add classes at the end`,
  );
}

/** How labels are spelled by a definition that says nothing of it. */
const PLAIN_SPELLINGS = { 0: ['0', 'false'], 1: ['1', 'true'] } as const;

/** What is in the stores has the class that its spelling had, so that a spelling cannot go over to the other class. */
function swappedLabels(locked: LockedDefinition, now: LockedDefinition): string[] {
  if (isNewLabel(locked, now) || now.labelClasses || locked.labelClasses) return [];
  const [before, after] = [locked, now].map((it) => it.labelValues ?? PLAIN_SPELLINGS);
  return (['0', '1'] as const).flatMap((label) =>
    (after?.[label === '0' ? '1' : '0'] ?? [])
      .filter((spelling) => before?.[label].some((it) => it === spelling))
      .map(
        (spelling) =>
          `the label ${spelling} was of class ${label} and is of the other: what is learned from has its class already; give the label another name and attribute`,
      ),
  );
}

/** Whether the definition has a label that it had not. A lock of version 0.1.0 tells labels by their columns only. */
function isNewLabel(locked: LockedDefinition, now: LockedDefinition): boolean {
  const { label } = now;
  return label !== undefined && locked.label === undefined && !locked.columns.some((it) => nameOf(it) === label);
}

/** A label stays what it was: its ledger, its models and its endpoint are of it. */
function labelRefusals(locked: LockedDefinition, now: LockedDefinition): string[] {
  if (locked.label === undefined || locked.label === now.label) return [];
  if (now.label === undefined) {
    return [
      `the label ${locked.label} was removed: its models and endpoints would be left to nobody; keep it, and stop the trainings with \`npm run pause\``,
    ];
  }
  return [
    `the label was ${locked.label} and is ${now.label}: the labels that are counted are of the first; a model of another label gets a definition of its own`,
  ];
}

function conditionText(condition: ItemCondition): string {
  const name = JSON.stringify(condition.attribute);
  if (condition.holds === 'exists') return `${name} is there`;
  if (condition.holds === 'startsWith') return `${name} begins with ${JSON.stringify(condition.text)}`;
  const values = condition.values.map((value) => (typeof value === 'bigint' ? `${value}` : JSON.stringify(value)));
  return `${name} is ${values.join(' or ')}`;
}

/** What has changed since the lock: what can be added, and what is refused, each by name and with the way out. */
export interface Evolution {
  readonly added: readonly string[];
  readonly refused: readonly string[];
  /** What the change does to trainings and predictions, in a sentence. */
  readonly retraining?: string;
  /** What becomes of items that were records and are none now, and the other way round, in a sentence. */
  readonly items?: string;
}

/** What each of these is called, and what replacing it would mean. */
const FIXED = {
  featureGroup: ['name of the feature group', 'the group would be made again, empty'],
  table: ['table', 'the table would be made again, empty'],
  key: ["table's key", 'the table would be made again, empty'],
  recordIdentifier: ['record identifier', 'the feature group would be made again, empty'],
  eventTime: ['event time', 'the feature group would be made again, empty'],
  description: ['description', 'the feature group would be made again, empty'],
  owner: ['owner', 'the feature group, whose tag it is, would be made again, empty'],
  stackTags: ['tags of the stack', 'they are tags of the feature group, which would be made again, empty'],
} as const;

/** Compares a definition with what its lock says is deployed. */
export function evolutionOf(locked: LockedDefinition, now: LockedDefinition): Evolution {
  const text = (value: unknown = 'none') => (typeof value === 'string' ? value : JSON.stringify(value));
  const fixed = Object.entries(FIXED).flatMap(([field, [what, consequence]]) => {
    const [before, after] = [text(locked[field as keyof typeof FIXED]), text(now[field as keyof typeof FIXED])];
    return before === after ? [] : `the ${what} was ${before} and is ${after}: ${consequence}`;
  });
  const columns = locked.columns.flatMap((column, index) => columnRefusal(column, index, locked, now.columns) ?? []);
  return {
    added: now.columns.filter((column) => !locked.columns.some((it) => nameOf(it) === nameOf(column))),
    refused: [
      ...fixed,
      ...columns,
      ...labelRefusals(locked, now),
      ...derivedRefusals(locked, now),
      ...swappedLabels(locked, now),
      ...classRefusals(locked, now),
    ],
    ...retrainingOf(locked, now),
    ...itemsOf(locked, now),
  };
}

/** A schema may change: nothing is lost, but a model has to be trained. */
function retrainingOf(locked: LockedDefinition, now: LockedDefinition): Pick<Evolution, 'retraining'> {
  if (isNewLabel(locked, now)) {
    return {
      retraining: `The label ${now.label} is new: models are trained from now on. Labels that items have already are counted by \`npm run backfill\`; its own column needs \`since\` if features have one.`,
    };
  }
  if (locked.schemaHash === undefined || locked.schemaHash === now.schemaHash) return {};
  return {
    retraining: `The schema of training changes from ${locked.schemaHash} to ${now.schemaHash}: a training starts within five minutes of the deployment, and predictions go on by the model that serves until the new one does.`,
  };
}

/** Which items are records may change: what is in the stores follows with the next change of each item. */
function itemsOf(locked: LockedDefinition, now: LockedDefinition): Pick<Evolution, 'items'> {
  if (locked.items === now.items) return {};
  const [before, after] = [locked.items, now.items].map((it) => it ?? 'all of the table');
  return {
    items: `The items that are records were ${before}, and are ${after}: an item comes in, or is taken out, with its next change.`,
  };
}

function columnRefusal(
  column: string,
  index: number,
  locked: LockedDefinition,
  now: readonly string[],
): string | undefined {
  const name = nameOf(column);
  const place = now.findIndex((it) => nameOf(it) === name);
  const found = now[place];
  if (found === undefined) {
    // A label that goes has a sentence of its own.
    if (name === locked.label) return undefined;
    return `${name} was removed or renamed: Feature Store keeps every feature; keep it, with \`optional: true\` and \`training: false\` if nothing sends it any more`;
  }
  if (found !== column) {
    return `${name} was ${column.slice(name.length + 1)} and is ${found.slice(name.length + 1)}: a feature's type cannot be changed; add a feature of another name`;
  }
  if (place !== index) {
    return `${name} was column ${index + 1} of the change log and is column ${place + 1}: columns are read by their place. Give new features \`since\` with the definition's next version, so that they stand last`;
  }
  return undefined;
}

const nameOf = (column: string): string => column.slice(0, column.lastIndexOf(' '));
