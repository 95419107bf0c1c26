import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import type { ColumnInput, GlueCatalog, TableInput } from './catalog.ts';
import { page } from './page.ts';

/** Athena's one catalog. */
const CATALOG = 'AwsDataCatalog';
/** Source: ListDatabases and ListTableMetadata, MaxResults. */
const NAMES_MAX = 50;

interface Input {
  readonly CatalogName?: string;
  readonly Name?: string;
  readonly DatabaseName?: string;
  readonly TableName?: string;
  readonly Expression?: string;
  readonly MaxResults?: number;
  readonly NextToken?: string;
  readonly WorkGroup?: string;
}

/** What tools ask of a catalog before they query it: its databases, tables and columns. */
export function metadataOperations(catalog: GlueCatalog): Readonly<Record<string, Operation>> {
  const database = (name: string | undefined) => {
    const found = (name ?? '').toLowerCase();
    if (!catalog.databases.has(found)) throw new AwsError('MetadataException', `Database ${name} not found`);
    return found;
  };
  return {
    ListDataCatalogs: (input: Input) => {
      known('ListDataCatalogs', input, ['MaxResults', 'NextToken', 'WorkGroup']);
      return { DataCatalogsSummary: [{ CatalogName: CATALOG, Type: 'GLUE' }] };
    },
    GetDataCatalog: ({ Name, ...rest }: Input) => {
      known('GetDataCatalog', rest, ['WorkGroup']);
      requireCatalog(Name);
      return { DataCatalog: { Name: CATALOG, Type: 'GLUE', Parameters: {} } };
    },
    ListDatabases: ({ CatalogName, ...rest }: Input) => {
      known('ListDatabases', rest, ['MaxResults', 'NextToken', 'WorkGroup']);
      requireCatalog(CatalogName);
      const { items, next } = page([...catalog.databases].sort(), rest, NAMES_MAX);
      return { DatabaseList: items.map((Name) => ({ Name, Parameters: {} })), ...next };
    },
    GetDatabase: ({ CatalogName, DatabaseName, ...rest }: Input) => {
      known('GetDatabase', rest, ['WorkGroup']);
      requireCatalog(CatalogName);
      return { Database: { Name: database(DatabaseName), Parameters: {} } };
    },
    ListTableMetadata: ({ CatalogName, DatabaseName, Expression, ...rest }: Input) => {
      known('ListTableMetadata', rest, ['MaxResults', 'NextToken', 'WorkGroup']);
      requireCatalog(CatalogName);
      const found = catalog.inputs(database(DatabaseName), Expression);
      const { items, next } = page(found, rest, NAMES_MAX);
      return { TableMetadataList: items.map((it) => tableMetadata(it, catalog)), ...next };
    },
    GetTableMetadata: ({ CatalogName, DatabaseName, TableName = '', ...rest }: Input) => {
      known('GetTableMetadata', rest, ['WorkGroup']);
      requireCatalog(CatalogName);
      const input = catalog.input(database(DatabaseName), TableName.toLowerCase());
      if (!input) throw new AwsError('MetadataException', `EntityNotFoundException: Entity Not Found: ${TableName}`);
      return { TableMetadata: tableMetadata(input, catalog) };
    },
  };
}

function known(operation: string, input: object, names: readonly string[]): void {
  refuseUnknown('athena', operation, input, names);
}

function requireCatalog(name: string | undefined): void {
  if (name?.toLowerCase() === CATALOG.toLowerCase()) return;
  throw new AwsError('InvalidRequestException', `Data Catalog ${name} is not found`);
}

function tableMetadata(
  { Name, TableType, Parameters, PartitionKeys, StorageDescriptor }: TableInput,
  catalog: GlueCatalog,
): object {
  const { Columns, Location, InputFormat, OutputFormat, SerdeInfo } = StorageDescriptor ?? {};
  const column = ({ Name, Type, Comment }: ColumnInput) => ({ Name, Type, ...(Comment !== undefined && { Comment }) });
  const texts = (values: Readonly<Record<string, unknown>> = {}) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
  const serde = Object.entries(texts(SerdeInfo?.Parameters)).map(([key, value]) => [`serde.param.${key}`, value]);
  return {
    Name: Name.toLowerCase(),
    CreateTime: catalog.openedMs / 1_000,
    LastAccessTime: 0,
    TableType,
    Columns: (Columns ?? []).map(column),
    PartitionKeys: (PartitionKeys ?? []).map(column),
    Parameters: {
      ...texts(Parameters),
      ...(Location !== undefined && { location: Location }),
      ...(InputFormat !== undefined && { inputformat: InputFormat }),
      ...(OutputFormat !== undefined && { outputformat: OutputFormat }),
      ...(SerdeInfo?.SerializationLibrary !== undefined && {
        'serde.serialization.lib': SerdeInfo.SerializationLibrary,
      }),
      ...Object.fromEntries(serde),
    },
  };
}
