import { createHmac } from 'node:crypto';
import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import {
  BatchWriteRecordCommand,
  type BatchWriteRecordEntry,
  DeleteRecordCommand,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { ByteWriter } from '../bytes/writer.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { DeliveryClients } from '../delivery/destinations.ts';
import { batchWriteBodyWriter } from '../online-store/body.ts';
import { type OnlineStore, sdkOnlineStore } from '../online-store/online-store.ts';
import type { PutObject } from '../quarantine/object-writer.ts';
import type { Effects } from './effects.ts';

/**
 * A rehearsal sends records through ingest with shadows in place of its destinations: they take every write, keep
 * nothing, and note what was written where. Two versions of ingest can so be compared on the same records.
 */

/** Digits of a digest: enough to tell two apart. */
const DIGEST_DIGITS = 16;

/** Makes the digest of a text under the rehearsal's key. */
type Digest = (text: string) => string;

/** Commas that end a field, and not those that a backslash makes part of one. */
const FIELD_END = /(?<=(?<!\\)(?:\\\\)*),/;

interface Shadows {
  readonly clients: DeliveryClients;
  readonly putObject: PutObject;
  effects(): Effects;
}

/**
 * Clients whose writes all succeed and go nowhere, and what was written. Reads find nothing.
 *
 * @param writer which of the two ways to the online store is deployed: the rehearsal goes the same.
 * @param key of the digests.
 */
export function shadows(group: FeatureGroup, { writer, key }: { writer: 'direct' | 'sdk'; key: string }): Shadows {
  const effects = new Map<string, string>();
  const digest: Digest = (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, DIGEST_DIGITS);
  const client = (answer: (command: unknown) => unknown) =>
    ({ send: async (command: unknown) => answer(command) ?? refuse(command) }) as never;
  return {
    clients: {
      featureStore: client((command) => writeOnline(command, group, effects, digest)),
      ...(writer === 'direct' && { onlineStore: () => directShadow(group, effects, digest) }),
      firehose: client((command) => writeRows(command, effects, digest)),
      dynamodb: client((command) => writeState(command, effects, digest)),
    },
    async putObject({ Body = '' }) {
      // The lines hold sentences for people, which may be worded anew.
      for (const line of String(Body).split('\n').filter(Boolean)) {
        const { sequenceNumber, record } = JSON.parse(line);
        effects.set(`quarantine/${digest(JSON.stringify([sequenceNumber, record]))}`, 'written');
      }
    },
    effects: () => Object.fromEntries(effects),
  };
}

/** The bytes that the direct writer would send, read as Feature Store reads them. */
function directShadow(group: FeatureGroup, effects: Map<string, string>, digest: Digest): OnlineStore {
  const writeBody = batchWriteBodyWriter(group);
  const client = { send: async (command: unknown) => writeOnline(command, group, effects, digest) } as never;
  return {
    begin() {},
    delete: sdkOnlineStore(group, client).delete,
    async batchWrite(changes) {
      const body = Buffer.from(writeBody(changes, new ByteWriter())).toString('utf8');
      noteEntries(JSON.parse(body).Entries, group, effects, digest);
      return { Errors: [], UnprocessedEntries: [] };
    },
  };
}

function refuse(command: unknown): never {
  throw new Error(
    `A rehearsal has no shadow for ${(command as object).constructor.name}: add it in shared/rehearsal/shadows.ts.`,
  );
}

function writeOnline(command: unknown, group: FeatureGroup, effects: Map<string, string>, digest: Digest) {
  if (command instanceof DeleteRecordCommand) {
    const { RecordIdentifierValueAsString: identifier = '', EventTime = '' } = command.input;
    effects.set(`online/${digest(identifier)}/deleted`, digest(EventTime));
    return {};
  }
  if (!(command instanceof BatchWriteRecordCommand)) return undefined;
  noteEntries(command.input.Entries ?? [], group, effects, digest);
  return { Errors: [], UnprocessedEntries: [] };
}

function noteEntries(
  entries: readonly BatchWriteRecordEntry[],
  group: FeatureGroup,
  effects: Map<string, string>,
  digest: Digest,
): void {
  for (const { Record = [] } of entries) {
    const identifier = Record.find((it) => it.FeatureName === group.recordIdentifier.name)?.ValueAsString ?? '';
    for (const { FeatureName, ValueAsString = '' } of Record) {
      effects.set(`online/${digest(identifier)}/${FeatureName}`, digest(ValueAsString));
    }
  }
}

function writeRows(command: unknown, effects: Map<string, string>, digest: Digest) {
  if (!(command instanceof PutRecordBatchCommand)) return undefined;
  const records = command.input.Records ?? [];
  for (const { Data } of records) {
    for (const row of Buffer.from(Data ?? [])
      .toString('utf8')
      .split('\n')
      .filter(Boolean)) {
      const [sequenceNumber, ...fields] = row.split(FIELD_END);
      for (const [index, field] of fields.entries()) {
        effects.set(`change-log/${sequenceNumber}/${index + 2}`, digest(field));
      }
    }
  }
  return { FailedPutCount: 0, RequestResponses: records.map(() => ({ RecordId: 'rehearsal' })) };
}

function writeState(command: unknown, effects: Map<string, string>, digest: Digest) {
  if (command instanceof BatchGetItemCommand) return { Responses: {}, UnprocessedKeys: {} };
  if (command instanceof GetItemCommand) return {};
  const note = (pk: AttributeValue | undefined, written: unknown) => {
    const [kind, identifier = ''] = (pk?.S ?? '').split(/#(.*)/s);
    effects.set(`state/${kind}/${digest(identifier)}`, digest(JSON.stringify(written)));
  };
  if (command instanceof BatchExecuteStatementCommand) {
    const statements = command.input.Statements ?? [];
    // Nothing is there, so whatever is put is inserted, with its key first.
    for (const { Parameters = [] } of statements) note(Parameters[0], Parameters);
    return { Responses: statements.map(() => ({})) };
  }
  if (command instanceof UpdateItemCommand) {
    const { Key, UpdateExpression, ExpressionAttributeValues } = command.input;
    note(Key?.pk, [UpdateExpression, ExpressionAttributeValues]);
    return {};
  }
  if (!(command instanceof PutItemCommand)) return undefined;
  note(command.input.Item?.pk, command.input.Item);
  return {};
}
