import { marshall } from '@aws-sdk/util-dynamodb';
import { toEventImage } from '../../shared/changes/attribute-value.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';

/** An item as an application has it: texts, numbers, booleans, null, lists, maps, sets, bytes. */
export type PlainItem = Readonly<Record<string, unknown>>;

/** A stream record as Lambda hands it over. */
export type StreamRecord = Readonly<Record<string, unknown>>;

/** Second of the first record, unless it is given: a fixed one, so that a test's results do not depend on its day. */
const FIRST_SECOND = Date.UTC(2026, 0, 1) / 1_000;
/** The first sequence number: of 21 digits, as AWS's shortest. */
const FIRST_SEQUENCE_NUMBER = 100_000_000_000_000_000_001n;

/** When a change was made; a second after the one before unless it is given. */
export interface When {
  readonly at?: Date;
}

/** The changes of a table as its stream tells them, made of plain items. */
export interface TableStream {
  /** An item that was not there. */
  insert(item: PlainItem, when?: When): StreamRecord;
  /** An item before and after a change. @throws Error when their keys differ. */
  modify(before: PlainItem, after: PlainItem, when?: When): StreamRecord;
  /** An item that an application deleted. */
  remove(item: PlainItem, when?: When): StreamRecord;
  /** An item that DynamoDB's time to live deleted. */
  expire(item: PlainItem, when?: When): StreamRecord;
}

/**
 * Makes the stream of a definition's table, for tests: each record has the next sequence number and second.
 *
 * @throws Error naming the attribute when an item lacks a key attribute of the definition.
 */
export function streamOf(group: FeatureGroup): TableStream {
  const { attributes } = group.recordIdentifier;
  let sequenceNumber = FIRST_SEQUENCE_NUMBER;
  let second = FIRST_SECOND - 1;

  const keysOf = (item: PlainItem) =>
    Object.fromEntries(
      attributes.map((name) => {
        if (item[name] === undefined) {
          throw new Error(`The item lacks ${name}, which is a key attribute of ${group.name}.`);
        }
        return [name, item[name]];
      }),
    );
  const record = (eventName: string, before: PlainItem | undefined, after: PlainItem | undefined, { at }: When) => {
    second = at ? Math.floor(at.getTime() / 1_000) : second + 1;
    const Keys = keysOf((after ?? before) as PlainItem);
    const made = {
      eventName,
      eventSource: 'aws:dynamodb',
      dynamodb: {
        ApproximateCreationDateTime: second,
        Keys: imageOf(Keys),
        ...(after && { NewImage: imageOf(after) }),
        ...(before && { OldImage: imageOf(before) }),
        SequenceNumber: String(sequenceNumber),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    };
    sequenceNumber += 1n;
    return made;
  };
  return {
    insert: (item, when = {}) => record('INSERT', undefined, item, when),
    modify(before, after, when = {}) {
      const [one, other] = [before, after].map((it) => JSON.stringify(imageOf(keysOf(it))));
      if (one !== other) throw new Error(`An item's key cannot be modified: it was ${one} and is ${other}.`);
      return record('MODIFY', before, after, when);
    },
    remove: (item, when = {}) => record('REMOVE', item, undefined, when),
    expire: (item, when = {}) => ({
      ...record('REMOVE', item, undefined, when),
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    }),
  };
}

const imageOf = (item: PlainItem): unknown => toEventImage(marshall(item, { removeUndefinedValues: true }));
