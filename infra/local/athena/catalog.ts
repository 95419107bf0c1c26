import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { COLUMN_TYPES, type TextFormat } from './lazy-simple-serde.ts';
import type { KeptTables } from './tables/kept-tables.ts';

/** Properties of CloudFormation's AWS::Glue::Table TableInput that the local cloud reads. */
export interface TableInput {
  readonly Name: string;
  readonly Description?: string;
  readonly TableType?: string;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly PartitionKeys?: readonly ColumnInput[];
  readonly StorageDescriptor?: {
    readonly Columns?: readonly ColumnInput[];
    readonly Location?: string;
    readonly InputFormat?: string;
    readonly OutputFormat?: string;
    readonly SerdeInfo?: {
      readonly SerializationLibrary?: string;
      readonly Parameters?: Readonly<Record<string, unknown>>;
    };
  };
  /** A view's SQL, as Athena stores it: JSON in base64 in a comment. */
  readonly ViewOriginalText?: string;
}

export interface ColumnInput {
  readonly Name: string;
  readonly Type?: string;
  readonly Comment?: string;
}

export interface Column {
  readonly name: string;
  /** Hive's name of it, in lower case: `bigint`, `decimal(10,2)`, `array<string>`. */
  readonly type: string;
  readonly comment?: string;
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
  /** How its objects' rows are written. */
  readonly format: TextFormat | 'parquet';
  /** Whether Glue has a list of its partitions, as it has of those that CREATE TABLE AS wrote. */
  readonly hasListedPartitions: boolean;
  readonly input: TableInput;
}

export interface View {
  readonly database: string;
  readonly name: string;
  /** Trino SQL. */
  readonly sql: string;
  readonly input: TableInput;
}

export const TEXT_SERDE = 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe';
export const PARQUET_SERDE = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';
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
  /** When the catalog was opened: its tables count as made then. */
  readonly openedMs = Date.now();
  readonly databases = new Set(['default']);
  readonly tables = new Map<string, Table>();
  readonly views = new Map<string, View>();
  readonly #kept: KeptTables | undefined;

  /** @param kept where tables and views that statements make are kept over a restart. Without it they are forgotten. */
  constructor(kept?: KeptTables) {
    this.#kept = kept;
    for (const { database, input, hasListedPartitions } of kept?.all() ?? []) {
      this.registerTable(database, input, { hasListedPartitions });
    }
  }

  /**
   * Adds or replaces a table, or a view if the input describes one.
   *
   * @param hasListedPartitions whether Glue lists its partitions; without projection there must be a list.
   * @param isKept whether it is there after a restart, as what a statement made.
   * @throws AwsError InvalidInputException, NotImplementedException naming what the local cloud cannot read.
   */
  registerTable(database: string, input: TableInput, { hasListedPartitions = false, isKept = false } = {}): void {
    if (input.TableType === 'VIRTUAL_VIEW') this.registerView(database, input.Name, viewSql(input), input);
    else {
      const table = tableOf(database.toLowerCase(), input, hasListedPartitions);
      this.#changed(table.database, table.name);
      this.tables.set(qualified(table), table);
    }
    if (isKept) this.#kept?.save(database.toLowerCase(), input, hasListedPartitions);
  }

  /**
   * Adds a table or view of a stack's template. As CloudFormation does, it leaves alone what the template has not changed:
   * a view that was swapped since stays.
   *
   * @throws AwsError as {@link registerTable}.
   */
  deployTable(database: string, input: TableInput): void {
    const name = database.toLowerCase();
    const isThere = this.#kept?.isDeployed(name, input) && this.input(name, input.Name.toLowerCase()) !== undefined;
    if (!isThere) this.registerTable(database, input);
  }

  /** Adds or replaces a view. Unqualified names in its SQL are of its own database. */
  registerView(database: string, name: string, trinoSql: string, input: TableInput = viewInput(name, trinoSql)): void {
    const view = { database: database.toLowerCase(), name: name.toLowerCase(), sql: trinoSql, input };
    this.#changed(view.database, view.name);
    this.views.set(qualified(view), view);
  }

  /** Takes a table or a view out. Its objects stay. */
  remove(database: string, name: string): void {
    this.#changed(database, name);
    this.#kept?.remove(database, name);
  }

  /** What a table or a view was made from. */
  input(database: string, name: string): TableInput | undefined {
    const key = qualified({ database, name });
    return (this.tables.get(key) ?? this.views.get(key))?.input;
  }

  /**
   * What the tables and views of a database were made from, by name.
   *
   * @param expression regular expression of whole names, as Glue takes it, of names, `.*` and `|`.
   * @throws AwsError NotImplementedException for any other.
   */
  inputs(database: string, expression?: string): TableInput[] {
    const isLike = expression === undefined ? () => true : likeOf(expression);
    return [...this.tables.values(), ...this.views.values()]
      .filter((it) => it.database === database && isLike(it.name))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ input }) => input);
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

function tableOf(database: string, input: TableInput, hasListedPartitions: boolean): Table {
  const { StorageDescriptor: storage = {}, PartitionKeys = [], Parameters = {} } = input;
  const { bucket, key } = s3Location(storage.Location ?? '');
  const format = formatOf(storage);
  const isProjected = String(Parameters['projection.enabled']).toLowerCase() === 'true';
  if (PartitionKeys.length > 0 && !isProjected && !hasListedPartitions) {
    throw notImplemented('athena', `partitions without partition projection, as in the table ${input.Name}`);
  }
  if (Parameters['skip.header.line.count'] !== undefined) throw notImplemented('athena', 'skip.header.line.count');
  const partitionKeys = PartitionKeys.map((it) => columnOf(it, TEXT_TYPES));
  return {
    database,
    name: input.Name.toLowerCase(),
    bucket,
    prefix: key === '' || key.endsWith('/') ? key : `${key}/`,
    columns: (storage.Columns ?? []).map((it) => columnOf(it, format === 'parquet' ? PARQUET_TYPES : TEXT_TYPES)),
    partitionKeys,
    injectedKeys: injectedKeys(input.Name, partitionKeys, Parameters),
    partitionOf: partitionPattern(partitionKeys, key, Parameters['storage.location.template']),
    format,
    hasListedPartitions,
    input,
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

const TEXT_TYPES = new RegExp(`^(${COLUMN_TYPES.join('|')})$`);
const PARQUET_TYPES = new RegExp(
  `^(array<)?(${COLUMN_TYPES.join('|')}|float|date|timestamp|binary|decimal\\(\\d{1,2},\\d{1,2}\\))(>)?$`,
);

function columnOf({ Name: name, Type: type = '', Comment: comment }: ColumnInput, known: RegExp): Column {
  const lower = type.toLowerCase().replaceAll(' ', '');
  if (!known.test(lower)) throw notImplemented('athena', `the type ${type} of the column ${name}`);
  return { name: name.toLowerCase(), type: lower, ...(comment !== undefined && { comment }) };
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

function formatOf({ SerdeInfo: serde = {} }: NonNullable<TableInput['StorageDescriptor']>): TextFormat | 'parquet' {
  if (serde.SerializationLibrary === PARQUET_SERDE) return 'parquet';
  if (serde.SerializationLibrary === TEXT_SERDE) return textFormatOf(serde.Parameters ?? {});
  throw notImplemented('athena', `the serialization library ${serde.SerializationLibrary}`);
}

function textFormatOf(parameters: Readonly<Record<string, unknown>>): TextFormat {
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

/** A view as Athena keeps it in Glue. */
export function viewInput(name: string, sql: string, columns: readonly ColumnInput[] = [], database = ''): TableInput {
  const presto = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: columns.map((it) => ({ name: it.Name, type: it.Type })),
  };
  return {
    Name: name,
    TableType: 'VIRTUAL_VIEW',
    Parameters: { presto_view: 'true', comment: 'Presto View' },
    ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(presto)).toString('base64')} */`,
    StorageDescriptor: { Columns: columns, SerdeInfo: {} },
  };
}

/** A test of names by `a.*|.*b`. It is no RegExp: one of many stars takes for ever to fail. */
function likeOf(expression: string): (name: string) => boolean {
  const choices = expression
    .toLowerCase()
    .split('|')
    .map((it) => it.split('.*'));
  if (choices.flat().some((it) => !/^\w*$/.test(it)))
    throw notImplemented('glue', `the expression ${expression.slice(0, 60)}`);
  return (name) => choices.some((parts) => hasParts(name, parts));
}

/** Whether a name has the parts one after another, the first at its beginning and the last at its end. */
export function hasParts(name: string, parts: readonly string[]): boolean {
  const [first = '', ...others] = parts;
  if (others.length === 0) return name === first;
  const last = others.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > name.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
