import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import type { Dynalite } from './dynalite.ts';
import type { StreamLog, StreamViewType } from './streams/stream-log.ts';
import type { StreamTap } from './streams/stream-tap.ts';
import type { TableSettings } from './table-settings.ts';

const VIEW_TYPES: readonly string[] = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY'];

/** How often a table is looked at while it is being created or deleted, in milliseconds. */
const STATUS_POLL_MILLIS = 2;

interface StreamSpecification {
  StreamEnabled?: boolean;
  StreamViewType?: string;
}
type Description = { TableName: string; TableStatus: string; KeySchema: { AttributeName: string; KeyType: string }[] };
interface TableInput {
  TableName: string;
  StreamSpecification?: StreamSpecification;
  DeletionProtectionEnabled?: boolean;
  Tags?: { Key: string; Value: string }[];
  GlobalSecondaryIndexUpdates?: Record<string, unknown>[];
}

/** Operations on tables: dynalite's, with the stream, deletion protection and tags that it would drop. */
export function tableOperations(
  dynalite: Dynalite,
  log: StreamLog,
  tap: StreamTap,
  settings: TableSettings,
): Record<string, Operation> {
  const describe = async (TableName: string): Promise<Description> =>
    withStream((await dynalite.run<{ Table: Description }>('DescribeTable', { TableName })).Table, log, settings);

  return {
    DescribeTable: async (input: TableInput) => {
      refuseUnknown('dynamodb', 'DescribeTable', input, ['TableName']);
      return { Table: await describe(input.TableName) };
    },

    CreateTable: (input: TableInput) => {
      const { StreamSpecification: specification, DeletionProtectionEnabled, Tags, ...rest } = input;
      refuseUnknown('dynamodb', 'CreateTable', rest, dynalite.parametersOf('CreateTable'));
      const viewType = viewTypeOf(specification);
      return tap.exclusive([input.TableName], async () => {
        const created = await dynalite.run<{ TableDescription: Description & { TableArn: string } }>(
          'CreateTable',
          rest,
        );
        const { TableName, KeySchema, TableArn } = created.TableDescription;
        if (viewType) log.enable(TableName, viewType, KeySchema);
        if (DeletionProtectionEnabled) settings.set(TableName, 'DeletionProtectionEnabled', true);
        // A table here is ready at once; answering only then spares the SDKs' waiters, which sleep for 20 seconds.
        while ((await describe(TableName)).TableStatus === 'CREATING') await sleep(STATUS_POLL_MILLIS);
        if (Tags && Tags.length > 0) await dynalite.run('TagResource', { ResourceArn: TableArn, Tags });
        return { TableDescription: withStream(created.TableDescription, log, settings) };
      });
    },

    UpdateTable: (input: TableInput) => {
      const { StreamSpecification: specification, DeletionProtectionEnabled, ...rest } = input;
      // dynalite knows definitions of attributes only for new indexes, which it cannot make.
      refuseUnknown('dynamodb', 'UpdateTable', rest, dynalite.parametersOf('UpdateTable'));
      for (const update of input.GlobalSecondaryIndexUpdates ?? []) {
        refuseUnknown('dynamodb', 'UpdateTable (GlobalSecondaryIndexUpdates)', update, ['Update']);
      }
      return tap.exclusive([input.TableName], async () => {
        const { KeySchema, TableName } = await describe(input.TableName);
        if (specification) changeStream(log, TableName, KeySchema, specification);
        if (DeletionProtectionEnabled !== undefined) {
          settings.set(TableName, 'DeletionProtectionEnabled', DeletionProtectionEnabled);
        }
        const nothingElse =
          Object.keys(rest).length === 1 && (specification || DeletionProtectionEnabled !== undefined);
        if (!nothingElse) await dynalite.run('UpdateTable', rest);
        while ((await describe(TableName)).TableStatus === 'UPDATING') await sleep(STATUS_POLL_MILLIS);
        return { TableDescription: await describe(TableName) };
      });
    },

    DeleteTable: (input: TableInput) => {
      refuseUnknown('dynamodb', 'DeleteTable', input, ['TableName']);
      return tap.exclusive([input.TableName], async () => {
        if (settings.get(input.TableName, 'DeletionProtectionEnabled')) {
          throw new AwsError(
            'ValidationException',
            'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
          );
        }
        const deleted = await dynalite.run<{ TableDescription: Description }>('DeleteTable', input);
        const answer = { TableDescription: withStream(deleted.TableDescription, log, settings) };
        log.disable(input.TableName);
        settings.forget(input.TableName);
        while (await describe(input.TableName).catch(() => undefined)) await sleep(STATUS_POLL_MILLIS);
        return answer;
      });
    },
  };
}

function withStream<T extends Description>(table: T, log: StreamLog, settings: TableSettings): T {
  const stream = log.enabledOn(table.TableName);
  return {
    ...table,
    DeletionProtectionEnabled: settings.get(table.TableName, 'DeletionProtectionEnabled') ?? false,
    ...(stream && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType },
      LatestStreamArn: stream.arn,
      LatestStreamLabel: stream.label,
    }),
  };
}

function changeStream(
  log: StreamLog,
  tableName: string,
  keySchema: Description['KeySchema'],
  specification: StreamSpecification,
): void {
  const viewType = viewTypeOf(specification);
  const enabled = log.enabledOn(tableName) !== undefined;
  if (viewType && enabled) {
    throw new AwsError('ValidationException', `Table already has an enabled stream: TableName: ${tableName}`);
  }
  if (!viewType && !enabled) {
    throw new AwsError('ValidationException', `Table has no stream to disable: TableName: ${tableName}`);
  }
  if (viewType) log.enable(tableName, viewType, keySchema);
  else log.disable(tableName);
}

function viewTypeOf(specification: StreamSpecification | undefined): StreamViewType | undefined {
  if (!specification?.StreamEnabled) {
    if (specification?.StreamViewType === undefined) return undefined;
    throw invalid('StreamViewType is only allowed when StreamEnabled is true');
  }
  if (!VIEW_TYPES.includes(specification.StreamViewType ?? '')) {
    throw invalid(`StreamViewType must be one of ${VIEW_TYPES.join(', ')}, not ${specification.StreamViewType}`);
  }
  return specification.StreamViewType as StreamViewType;
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', `One or more parameter values were invalid: ${message}`);
}
