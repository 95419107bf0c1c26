import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { COLUMN_TYPES, type ColumnType, type TextFormat } from './lazy-simple-serde.ts';

/** Properties of CloudFormation's AWS::Glue::Table TableInput that the local cloud reads. */
export interface TableInput {
  readonly Name: string;
  readonly TableType?: string;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly PartitionKeys?: readonly ColumnInput[];
  readonly StorageDescriptor?: {
    readonly Columns?: readonly ColumnInput[];
    readonly Location?: string;
    readonly SerdeInfo?: {
      readonly SerializationLibrary?: string;
      readonly Parameters?: Readonly<Record<string, unknown>>;
    };
  };
  /** A view's SQL, as Athena stores it: JSON in base64 in a comment. */
  readonly ViewOriginalText?: string;
}

interface ColumnInput {
  readonly Name: string;
  readonly Type?: string;
}

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** A table over the objects under an S3 location. */
export interface Table {
  readonly database: string;
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly columns: readonly Column[];
  readonly partitionKeys: readonly Column[];
  /** Names of partition keys whose values every query must give. */
  readonly injectedKeys: readonly string[];
  /** Finds the values of the partition keys in an object's key, by named groups. */
  readonly partitionOf: RegExp;
  readonly format: TextFormat;
}

export interface View {
  readonly database: string;
  readonly name: string;
  /** Trino SQL. */
  readonly sql: string;
}

const SERDE = 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe';
const SERDE_PARAMETERS = [
  'field.delim',
  'serialization.format',
  'escape.delim',
  'serialization.null.format',
  'line.delim',
];

/** The Glue Data Catalog, as far as Athena reads it here. Names are folded to lower case, as Glue does. */
export class GlueCatalog {
  /** Grows with every change, so that a reader knows when to look again. */
  version = 0;
  readonly databases = new Set(['default']);
  readonly tables = new Map<string, Table>();
  readonly views = new Map<string, View>();

  /**
   * Adds or replaces a table, or a view if the input describes one.
   *
   * @throws AwsError InvalidInputException, NotImplementedException naming what the local cloud cannot read.
   */
  registerTable(database: string, input: TableInput): void {
    if (input.TableType === 'VIRTUAL_VIEW') {
      this.registerView(database, input.Name, viewSql(input));
      return;
    }
    const table = tableOf(database.toLowerCase(), input);
    this.#changed(table.database, table.name);
    this.tables.set(qualified(table), table);
  }

  /** Adds or replaces a view. Unqualified names in its SQL are of its own database. */
  registerView(database: string, name: string, trinoSql: string): void {
    const view = { database: database.toLowerCase(), name: name.toLowerCase(), sql: trinoSql };
    this.#changed(view.database, view.name);
    this.views.set(qualified(view), view);
  }

  #changed(database: string, name: string): void {
    this.version += 1;
    this.databases.add(database);
    this.tables.delete(qualified({ database, name }));
    this.views.delete(qualified({ database, name }));
  }
}

/** Bucket and key of an s3:// location. */
export function s3Location(location: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/.exec(location);
  if (!match)
    throw new AwsError('InvalidInputException', `${location} is not a location of the form s3://bucket/prefix`);
  return { bucket: match[1] ?? '', key: match[2] ?? '' };
}

function qualified({ database, name }: { database: string; name: string }): string {
  return `${database}.${name}`;
}

function tableOf(database: string, input: TableInput): Table {
  const { StorageDescriptor: storage = {}, PartitionKeys = [], Parameters = {} } = input;
  const { bucket, key } = s3Location(storage.Location ?? '');
  if (storage.SerdeInfo?.SerializationLibrary !== SERDE) {
    throw notImplemented('athena', `the serialization library ${storage.SerdeInfo?.SerializationLibrary}`);
  }
  if (PartitionKeys.length > 0 && String(Parameters['projection.enabled']).toLowerCase() !== 'true') {
    throw notImplemented('athena', `partitions without partition projection, as in the table ${input.Name}`);
  }
  if (Parameters['skip.header.line.count'] !== undefined) throw notImplemented('athena', 'skip.header.line.count');
  const partitionKeys = PartitionKeys.map(columnOf);
  return {
    database,
    name: input.Name.toLowerCase(),
    bucket,
    prefix: key === '' || key.endsWith('/') ? key : `${key}/`,
    columns: (storage.Columns ?? []).map(columnOf),
    partitionKeys,
    injectedKeys: injectedKeys(input.Name, partitionKeys, Parameters),
    partitionOf: partitionPattern(partitionKeys, key, Parameters['storage.location.template']),
    format: formatOf(storage.SerdeInfo.Parameters ?? {}),
  };
}

/** The other kinds of projection say which partitions there can be; here those there are are looked up. */
function injectedKeys(table: string, keys: readonly Column[], parameters: Readonly<Record<string, unknown>>): string[] {
  const injected = keys.filter(
    ({ name }) => String(parameters[`projection.${name}.type`]).toLowerCase() === 'injected',
  );
  if (injected.length > 0 && parameters['storage.location.template'] === undefined) {
    throw notImplemented('athena', `an injected partition key without a storage.location.template, as in ${table}`);
  }
  return injected.map(({ name }) => name);
}

function columnOf({ Name: name, Type: type }: ColumnInput): Column {
  const known = COLUMN_TYPES.find((it) => it === type?.toLowerCase());
  if (!known) throw notImplemented('athena', `the type ${type} of the column ${name}`);
  return { name: name.toLowerCase(), type: known };
}

/** Without a template a partition's folder is `<key>=<value>/` under the location, as Hive names it. */
function partitionPattern(keys: readonly Column[], prefix: string, template: unknown): RegExp {
  const folders = keys.map((column) => `${column.name}=\${${column.name}}/`).join('');
  const location = typeof template === 'string' ? s3Location(template).key : `${prefix.replace(/\/?$/, '/')}${folders}`;
  const withSlash = location === '' || location.endsWith('/') ? location : `${location}/`;
  const pattern = withSlash
    .replace(/[\\^$.*+?()[\]|]/g, '\\$&')
    .replace(/\\\$\{(\w+)\}/g, (_, name: string) => `(?<${name.toLowerCase()}>[^/]*)`);
  return new RegExp(`^${keys.length === 0 ? '' : pattern}`);
}

function formatOf(parameters: Readonly<Record<string, unknown>>): TextFormat {
  refuseUnknown('athena', 'LazySimpleSerDe', parameters, SERDE_PARAMETERS);
  const { 'escape.delim': escapeCharacter, 'line.delim': lineEnd = '\n' } = parameters;
  if (lineEnd !== '\n') throw notImplemented('athena', 'a line.delim other than a line feed');
  return {
    fieldDelimiter: String(parameters['field.delim'] ?? parameters['serialization.format'] ?? '\u0001'),
    nullText: String(parameters['serialization.null.format'] ?? '\\N'),
    ...(escapeCharacter !== undefined && { escapeCharacter: String(escapeCharacter) }),
  };
}

function viewSql({ Name, ViewOriginalText = '' }: TableInput): string {
  const base64 = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/.exec(ViewOriginalText.trim())?.[1];
  if (!base64) throw new AwsError('InvalidInputException', `The view ${Name} has no SQL in its ViewOriginalText`);
  return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')).originalSql;
}
