import { ACCOUNT } from '../protocol/arn.ts';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Service } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { GlueCatalog, TableInput } from './catalog.ts';
import { page } from './page.ts';
import { partitionValues } from './statements/partitions.ts';

/** Source: GetDatabases and GetTables, MaxResults; GetPartitions has a thousand. */
const ENTRIES_MAX = 100;
const PARTITIONS_MAX = 1_000;

/** Source: TableInput, ViewOriginalText and ViewExpandedText. */
const VIEW_BYTES_MAX = 409_600;

interface UpdateTableInput {
  readonly CatalogId?: string;
  readonly DatabaseName?: string;
  readonly TableInput?: TableInput;
  readonly SkipArchive?: boolean;
}

interface Input {
  readonly CatalogId?: string;
  readonly Name?: string;
  readonly DatabaseName?: string;
  readonly TableName?: string;
  readonly Expression?: string;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/**
 * Glue's Data Catalog, as far as tools read it and views are swapped. Tables are made by the stack and by Athena's
 * statements.
 */
export function glue({ catalog, objects }: { catalog: GlueCatalog; objects: ObjectStore }): Service {
  const database = (name: string | undefined) => {
    const found = (name ?? '').toLowerCase();
    if (!catalog.databases.has(found)) throw new AwsError('EntityNotFoundException', `Database ${name} not found.`);
    return found;
  };
  const describeDatabase = (Name: string) => ({ Name, CreateTime: catalog.openedMs / 1_000, CatalogId: ACCOUNT });
  const known = (operation: string, input: object, names: readonly string[]) =>
    refuseUnknown('glue', operation, input, ['CatalogId', ...names]);
  return {
    name: 'glue',
    target: 'AWSGlue',
    operations: {
      GetDatabases: ({ ResourceShareType: _, AttributesToGet: __, ...input }: Input & Record<string, unknown>) => {
        known('GetDatabases', input, ['MaxResults', 'NextToken']);
        const { items, next } = page([...catalog.databases].sort(), input, ENTRIES_MAX);
        return { DatabaseList: items.map(describeDatabase), ...next };
      },
      GetDatabase: ({ Name, ...rest }: Input) => {
        known('GetDatabase', rest, []);
        return { Database: describeDatabase(database(Name)) };
      },
      GetTables: ({ DatabaseName, Expression, ...rest }: Input) => {
        known('GetTables', rest, ['MaxResults', 'NextToken']);
        const name = database(DatabaseName);
        const { items, next } = page(catalog.inputs(name, Expression), rest, ENTRIES_MAX);
        return { TableList: items.map((it) => describeTable(name, it, catalog)), ...next };
      },
      GetTable: ({ DatabaseName, Name = '', ...rest }: Input) => {
        known('GetTable', rest, []);
        const name = database(DatabaseName);
        const input = catalog.input(name, Name.toLowerCase());
        if (!input) throw new AwsError('EntityNotFoundException', `Entity Not Found: ${Name}`);
        return { Table: describeTable(name, input, catalog) };
      },
      UpdateTable: ({ DatabaseName, TableInput, SkipArchive: _, ...rest }: UpdateTableInput) => {
        known('UpdateTable', rest, []);
        const name = database(DatabaseName);
        if (!TableInput?.Name) throw new AwsError('InvalidInputException', 'Table input cannot be null.');
        if (!catalog.input(name, TableInput.Name.toLowerCase()))
          throw new AwsError('EntityNotFoundException', `Table ${TableInput.Name} not found.`);
        checkView(TableInput);
        catalog.registerTable(name, TableInput, { isKept: true });
        return {};
      },
      GetPartitions: async ({ DatabaseName, TableName = '', ...rest }: Input) => {
        known('GetPartitions', rest, ['MaxResults', 'NextToken']);
        const name = database(DatabaseName);
        const table = catalog.tables.get(`${name}.${TableName.toLowerCase()}`);
        if (!table) throw new AwsError('EntityNotFoundException', `Entity Not Found: ${TableName}`);
        const { items, next } = page(await partitionValues(table, objects), rest, PARTITIONS_MAX);
        const { Location = '', ...storage } = table.input.StorageDescriptor ?? {};
        const folder = (values: readonly string[]) =>
          table.partitionKeys.map((key, index) => `${key.name}=${values[index]}/`).join('');
        const partitions = items.map((Values) => ({
          ...{ Values, DatabaseName: name, TableName: table.name, CreationTime: catalog.openedMs / 1_000 },
          StorageDescriptor: { ...storage, Location: `${Location.replace(/\/$/, '')}/${folder(Values)}` },
          CatalogId: ACCOUNT,
        }));
        return { Partitions: partitions, ...next };
      },
    },
  };
}

function checkView({ Name, ViewOriginalText = '' }: TableInput): void {
  if (Buffer.byteLength(ViewOriginalText) <= VIEW_BYTES_MAX) return;
  const message = `1 validation error detected: Value at 'table.viewOriginalText' of ${Name} failed to satisfy constraint: Member must have length less than or equal to ${VIEW_BYTES_MAX}`;
  throw new AwsError('ValidationException', message);
}

/** Texts are what Glue has of all parameters; CloudFormation may have given numbers. */
function describeTable(database: string, input: TableInput, { openedMs, version }: GlueCatalog): object {
  const texts = (values: Readonly<Record<string, unknown>> | undefined) =>
    values && Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
  const { SerdeInfo, ...storage } = input.StorageDescriptor ?? {};
  return {
    ...input,
    Name: input.Name.toLowerCase(),
    DatabaseName: database,
    CreateTime: openedMs / 1_000,
    UpdateTime: openedMs / 1_000,
    Retention: 0,
    ...(input.Parameters && { Parameters: texts(input.Parameters) }),
    PartitionKeys: input.PartitionKeys ?? [],
    StorageDescriptor: {
      ...{ Compressed: false, NumberOfBuckets: 0, BucketColumns: [], SortColumns: [], StoredAsSubDirectories: false },
      ...storage,
      SerdeInfo: { ...SerdeInfo, ...(SerdeInfo?.Parameters && { Parameters: texts(SerdeInfo.Parameters) }) },
    },
    IsRegisteredWithLakeFormation: false,
    CatalogId: ACCOUNT,
    VersionId: String(version),
  };
}
