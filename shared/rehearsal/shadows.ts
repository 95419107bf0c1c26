import { createHash } from 'node:crypto';
import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { BatchWriteRecordCommand, DeleteRecordCommand } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { DeliveryClients } from '../delivery/destinations.ts';
import type { PutObject } from '../quarantine/object-writer.ts';
import type { Effects } from './effects.ts';

/**
 * A rehearsal sends records through ingest with shadows in place of its destinations: they take every write, keep
 * nothing, and note what was written where. Two versions of ingest can so be compared on the same records.
 */

/** Digits of a digest: enough to tell two apart, too few to find out what they were made of. */
const DIGEST_DIGITS = 16;
const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);

/** Commas that end a field, and not those that a backslash makes part of one. */
const FIELD_END = /(?<=(?<!\\)(?:\\\\)*),/;

interface Shadows {
  readonly clients: DeliveryClients;
  readonly putObject: PutObject;
  effects(): Effects;
}

/** Clients whose writes all succeed and go nowhere, and what was written. Reads find nothing. */
export function shadows(group: FeatureGroup): Shadows {
  const effects = new Map<string, string>();
  const client = (answer: (command: unknown) => unknown) =>
    ({ send: async (command: unknown) => answer(command) ?? refuse(command) }) as never;
  return {
    clients: {
      featureStore: client((command) => writeOnline(command, group, effects)),
      firehose: client((command) => writeRows(command, effects)),
      dynamodb: client((command) => writeState(command, effects)),
    },
    // The body holds sentences for people, which may be worded anew.
    putObject: async ({ Key = '' }) => effects.set(`quarantine/${digest(Key)}`, 'written'),
    effects: () => Object.fromEntries(effects),
  };
}

function refuse(command: unknown): never {
  throw new Error(
    `A rehearsal has no shadow for ${(command as object).constructor.name}: add it in shared/rehearsal/shadows.ts.`,
  );
}

function writeOnline(command: unknown, group: FeatureGroup, effects: Map<string, string>) {
  if (command instanceof DeleteRecordCommand) {
    const { RecordIdentifierValueAsString: identifier = '', EventTime = '' } = command.input;
    effects.set(`online/${digest(identifier)}/deleted`, digest(EventTime));
    return {};
  }
  if (!(command instanceof BatchWriteRecordCommand)) return undefined;
  for (const { Record = [] } of command.input.Entries ?? []) {
    const identifier = Record.find((it) => it.FeatureName === group.recordIdentifier.name)?.ValueAsString ?? '';
    for (const { FeatureName, ValueAsString = '' } of Record) {
      effects.set(`online/${digest(identifier)}/${FeatureName}`, digest(ValueAsString));
    }
  }
  return { Errors: [], UnprocessedEntries: [] };
}

function writeRows(command: unknown, effects: Map<string, string>) {
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

function writeState(command: unknown, effects: Map<string, string>) {
  if (command instanceof BatchGetItemCommand) return { Responses: {}, UnprocessedKeys: {} };
  if (command instanceof GetItemCommand) return {};
  if (!(command instanceof PutItemCommand)) return undefined;
  const { Item } = command.input;
  const [kind, identifier = ''] = (Item?.pk?.S ?? '').split(/#(.*)/s);
  effects.set(`state/${kind}/${digest(identifier)}`, digest(JSON.stringify(Item)));
  return {};
}
