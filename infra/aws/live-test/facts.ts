import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  DeleteItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  BatchWriteRecordCommand,
  DeleteRecordCommand,
  type FeatureValue,
  GetRecordCommand,
  PutRecordCommand,
  paginateListRecords,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';

/** A feature group to try things on, and its features: two texts and the event time. */
export interface ProbedGroup {
  readonly name: string;
  readonly recordIdentifier: string;
  readonly eventTime: string;
  readonly feature: string;
}

/** What the probe asks. */
export interface Probed {
  readonly featureStore: SageMakerFeatureStoreRuntimeClient;
  readonly dynamodb: DynamoDBClient;
  readonly group: ProbedGroup;
  /** A table whose key is `pk`, a text. */
  readonly table: string;
  /** Wait between a write and its reading, in milliseconds: no page says that GetRecord reads what was just written. */
  readonly settleMs: number;
}

/** Entries of one batch write and bytes of each, for its limit of bytes, which no page tells. */
const ENTRIES_MAX = 25;
const ENTRY_BYTES = 100_000;

/** What AWS's pages leave open, tried: a sentence each. Records and items are new ones in every run. */
export async function factsOf(probed: Probed): Promise<string[]> {
  const store = new ProbedStore(probed);
  return [
    await absentRecordDeleted(store),
    await putOlderThanTombstone(store),
    await equalEventTimes(store),
    await deletedAtEqualEventTime(store),
    await orderWithinBatch(store),
    await equalEventTimesInBatch(store),
    await partialErrors(store),
    await bytesOfBatch(store),
    await nineDigits(store),
    await listed(store),
    ...(await conditionsInBatch(probed)),
  ];
}

async function absentRecordDeleted(store: ProbedStore): Promise<string> {
  const answer = await store.delete('absent', 2);
  await store.put('absent', 1, 'older');
  const older = await store.read('absent');
  return `a soft delete of a record that was never there ${answer}; a put with an earlier event time then ${shows(older)}`;
}

async function putOlderThanTombstone(store: ProbedStore): Promise<string> {
  await store.put('tombstone', 1, 'first');
  await store.delete('tombstone', 3);
  await store.put('tombstone', 2, 'older');
  const older = await store.read('tombstone');
  await store.put('tombstone', 4, 'newer');
  const newer = await store.read('tombstone');
  return `a put older than the soft delete of its record ${shows(older)}; a newer one ${shows(newer)}`;
}

async function equalEventTimes(store: ProbedStore): Promise<string> {
  await store.put('equal', 1, 'the first');
  await store.put('equal', 1, 'the second');
  return `of two puts with one event time ${await store.read('equal')} is kept`;
}

async function deletedAtEqualEventTime(store: ProbedStore): Promise<string> {
  await store.put('equal-delete', 1, 'it');
  const answer = await store.delete('equal-delete', 1);
  return `a soft delete with the event time of the stored record ${answer}; the record ${shows(await store.read('equal-delete'))}`;
}

async function orderWithinBatch(store: ProbedStore): Promise<string> {
  await store.write([store.entry('falling', 2, 'newer'), store.entry('falling', 1, 'older')]);
  await store.write([store.entry('rising', 1, 'older'), store.entry('rising', 2, 'newer')]);
  const [falling, rising] = [await store.read('falling'), await store.read('rising')];
  return `of two entries of one record in a batch write, newer first, the ${falling} one is kept; older first, the ${rising} one`;
}

async function equalEventTimesInBatch(store: ProbedStore): Promise<string> {
  await store.write([store.entry('equal-batch', 1, 'the first'), store.entry('equal-batch', 1, 'the second')]);
  return `of two entries of one record with one event time in a batch write ${await store.read('equal-batch')} is kept`;
}

async function partialErrors(store: ProbedStore): Promise<string> {
  const wrong = { ...store.entry('wrong', 1, 'it') };
  wrong.Record = [...wrong.Record, { FeatureName: 'no-such-feature', ValueAsString: '1' }];
  const answer = await store.write([wrong, store.entry('right', 1, 'it')]);
  return `a batch write with one entry of an unknown feature ${answer}; the other entry ${shows(await store.read('right'))}`;
}

async function bytesOfBatch(store: ProbedStore): Promise<string> {
  const value = 'x'.repeat(ENTRY_BYTES);
  const answer = await store.write(Array.from({ length: ENTRIES_MAX }, (_, n) => store.entry(`large-${n}`, 1, value)));
  return `a batch write of ${ENTRIES_MAX} records of ${ENTRY_BYTES} bytes ${answer}`;
}

async function nineDigits(store: ProbedStore): Promise<string> {
  const answer = await store.put('digits', 1, 'it', '.000000001Z');
  return `an event time with nine digits of a second ${answer}; the record ${shows(await store.read('digits'))}`;
}

async function listed(store: ProbedStore): Promise<string> {
  await store.put('listed', 1, 'it');
  await store.delete('listed', 2);
  const [without, including] = [await store.isListed('listed', false), await store.isListed('listed', true)];
  return `a record that was soft deleted ${is(without)} listed, and with IncludeSoftDeletedRecords ${is(including)} listed`;
}

/** Conditions on an attribute that is no key, in a batch of statements, where each is said to stand on its own. */
async function conditionsInBatch({ dynamodb, table }: Probed): Promise<string[]> {
  const pk = `probe#${Date.now()}`;
  const insert = { Statement: `INSERT INTO "${table}" VALUE {'pk': ?, 'n': ?}`, Parameters: [{ S: pk }, { N: '1' }] };
  const update = (to: string, from: string): BatchStatementRequest => ({
    Statement: `UPDATE "${table}" SET "n" = ? WHERE "pk" = ? AND "n" = ?`,
    Parameters: [{ N: to }, { S: pk }, { N: from }],
  });
  const one = (statement: BatchStatementRequest) =>
    dynamodb.send(new BatchExecuteStatementCommand({ Statements: [statement] })).then(
      ({ Responses }) => {
        const code = Responses?.[0]?.Error?.Code;
        return code === undefined ? 'is done' : `answers ${code}`;
      },
      (error: Error) => `has its batch refused (${error.name})`,
    );
  try {
    await one(insert);
    const twice = await one(insert);
    const failing = await one(update('3', '2'));
    const holding = await one(update('2', '1'));
    return [
      `a statement of a batch that inserts a key which is there ${twice}`,
      `a statement of a batch whose condition on an attribute that is no key fails ${failing}; one whose condition holds ${holding}`,
    ];
  } finally {
    await dynamodb.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: pk } } }));
  }
}

const shows = (found: string): string => (found === NOTHING ? 'does not show' : 'shows');
const is = (listed: boolean): string => (listed ? 'is' : 'is not');

const NOTHING = 'nothing';

interface Entry {
  readonly FeatureGroupName: string;
  Record: FeatureValue[];
}

/** The group's records, by short names, at seconds of an hour that is over, and what each call came to, as half a sentence. */
class ProbedStore {
  readonly #client: SageMakerFeatureStoreRuntimeClient;
  readonly #group: ProbedGroup;
  readonly #settleMs: number;
  readonly #run = Date.now();

  constructor({ featureStore, group, settleMs }: Probed) {
    this.#client = featureStore;
    this.#group = group;
    this.#settleMs = settleMs;
  }

  entry(id: string, second: number, value: string, fraction = '.000Z'): Entry {
    const { name, recordIdentifier, eventTime, feature } = this.#group;
    return {
      FeatureGroupName: name,
      Record: [
        { FeatureName: recordIdentifier, ValueAsString: this.#id(id) },
        { FeatureName: eventTime, ValueAsString: this.#time(second, fraction) },
        { FeatureName: feature, ValueAsString: value },
      ],
    };
  }

  put(id: string, second: number, value: string, fraction?: string): Promise<string> {
    return this.#answer(this.#client.send(new PutRecordCommand(this.entry(id, second, value, fraction))));
  }

  delete(id: string, second: number): Promise<string> {
    const of = { FeatureGroupName: this.#group.name, RecordIdentifierValueAsString: this.#id(id) };
    return this.#answer(this.#client.send(new DeleteRecordCommand({ ...of, EventTime: this.#time(second, '.000Z') })));
  }

  write(Entries: Entry[]): Promise<string> {
    return this.#answer(
      this.#client.send(new BatchWriteRecordCommand({ Entries })).then(({ Errors = [], UnprocessedEntries = [] }) => {
        const codes = Errors.map(({ ErrorCode }) => ErrorCode).join(', ');
        if (Errors.length + UnprocessedEntries.length === 0) return undefined;
        return `is taken, with ${Errors.length} errors (${codes}) and ${UnprocessedEntries.length} unprocessed entries`;
      }),
    );
  }

  /** The feature's value; {@link NOTHING} for no record. */
  async read(id: string): Promise<string> {
    await sleep(this.#settleMs);
    const of = { FeatureGroupName: this.#group.name, RecordIdentifierValueAsString: this.#id(id) };
    const { Record } = await this.#client.send(new GetRecordCommand(of));
    return Record?.find(({ FeatureName }) => FeatureName === this.#group.feature)?.ValueAsString ?? NOTHING;
  }

  async isListed(id: string, IncludeSoftDeletedRecords: boolean): Promise<boolean> {
    const input = { FeatureGroupName: this.#group.name, IncludeSoftDeletedRecords };
    for await (const { RecordIdentifiers = [] } of paginateListRecords({ client: this.#client }, input)) {
      if (RecordIdentifiers.includes(this.#id(id))) return true;
    }
    return false;
  }

  async #answer(call: Promise<unknown>): Promise<string> {
    try {
      const said = await call;
      return typeof said === 'string' ? said : 'is taken';
    } catch (error) {
      return `is refused (${(error as Error).name})`;
    }
  }

  #id(id: string): string {
    return `probe-${this.#run}-${id}`;
  }

  #time(second: number, fraction: string): string {
    return new Date(this.#run - 3_600_000 + second * 1_000).toISOString().replace(/\.\d+Z$/, fraction);
  }
}
