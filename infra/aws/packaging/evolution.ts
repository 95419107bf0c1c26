import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
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
  /** Tags of the stack: they go on to the feature group, whose tags cannot be changed. */
  readonly stackTags: Readonly<Record<string, string>>;
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
    columns: columnsOf(group).map((column) => `${column.name} ${featureType(column.feature)}`),
    stackTags,
    schemaHash: schemaHash(group),
  };
}

/** What has changed since the lock: what can be added, and what is refused, each by name and with the way out. */
export interface Evolution {
  readonly added: readonly string[];
  readonly refused: readonly string[];
  /** What the change does to trainings and predictions, in a sentence. */
  readonly retraining?: string;
}

/** What each of these is called, and what replacing it would mean. */
const FIXED = {
  featureGroup: ['name of the feature group', 'the group would be made again, empty'],
  table: ['table', 'the table would be made again, empty'],
  key: ["table's key", 'the table would be made again, empty'],
  recordIdentifier: ['record identifier', 'the feature group would be made again, empty'],
  eventTime: ['event time', 'the feature group would be made again, empty'],
  stackTags: ['tags of the stack', 'they are tags of the feature group, which would be made again, empty'],
} as const;

/** Compares a definition with what its lock says is deployed. */
export function evolutionOf(locked: LockedDefinition, now: LockedDefinition): Evolution {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const fixed = Object.entries(FIXED).flatMap(([field, [what, consequence]]) => {
    const [before, after] = [text(locked[field as keyof typeof FIXED]), text(now[field as keyof typeof FIXED])];
    return before === after ? [] : `the ${what} was ${before} and is ${after}: ${consequence}`;
  });
  const columns = locked.columns.flatMap((column, index) => columnRefusal(column, index, now.columns) ?? []);
  return {
    added: now.columns.filter((column) => !locked.columns.some((it) => nameOf(it) === nameOf(column))),
    refused: [...fixed, ...columns],
    ...retrainingOf(locked, now),
  };
}

/** A schema may change: nothing is lost, but a model has to be trained. */
function retrainingOf(locked: LockedDefinition, now: LockedDefinition): Pick<Evolution, 'retraining'> {
  if (locked.schemaHash === undefined || locked.schemaHash === now.schemaHash) return {};
  return {
    retraining: `The schema of training changes from ${locked.schemaHash} to ${now.schemaHash}: a training starts within five minutes of the deployment, and predictions go on by the model that serves until the new one does.`,
  };
}

function columnRefusal(column: string, index: number, now: readonly string[]): string | undefined {
  const name = nameOf(column);
  const place = now.findIndex((it) => nameOf(it) === name);
  const found = now[place];
  if (found === undefined) {
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
