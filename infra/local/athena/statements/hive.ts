import type { Column, Table } from '../catalog.ts';
import type { Type } from '../sql/values/trino-types.ts';

const HIVE_NAMES: Readonly<Record<string, string>> = {
  ...{ boolean: 'boolean', tinyint: 'tinyint', smallint: 'smallint', integer: 'int', bigint: 'bigint', real: 'float' },
  ...{ double: 'double', varchar: 'string', varbinary: 'binary', date: 'date', timestamp: 'timestamp' },
};

/** Hive's name of a type; undefined for those that no table has, such as json or a time with a zone. */
export function hiveTypeOf(type: Type): string | undefined {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
  if (type.kind === 'array') {
    const element = hiveTypeOf(type.element);
    return element && `array<${element}>`;
  }
  return HIVE_NAMES[type.kind];
}

/** CREATE EXTERNAL TABLE of a table, line by line, as SHOW CREATE TABLE writes it. */
export function createTableText({ database, name, columns, partitionKeys, input }: Table): string[] {
  const { Location, InputFormat, OutputFormat, SerdeInfo } = input.StorageDescriptor ?? {};
  const list = (items: readonly Column[]) =>
    items.map((it, index) => {
      const comment = it.comment === undefined ? '' : ` COMMENT '${it.comment}'`;
      return `  \`${it.name}\` ${it.type}${comment}${index < items.length - 1 ? ', ' : ')'}`;
    });
  const pairs = (values: Readonly<Record<string, unknown>>) => {
    const entries = Object.entries(values);
    return entries.map(([key, value], index) => `  '${key}'='${value}'${index < entries.length - 1 ? ', ' : ') '}`);
  };
  const serde =
    Object.keys(SerdeInfo?.Parameters ?? {}).length > 0
      ? ['WITH SERDEPROPERTIES ( ', ...pairs(SerdeInfo?.Parameters ?? {})]
      : [];
  const properties =
    Object.keys(input.Parameters ?? {}).length > 0 ? ['TBLPROPERTIES (', ...pairs(input.Parameters ?? {})] : [];
  return [
    `CREATE EXTERNAL TABLE \`${database}.${name}\`(`,
    ...list(columns),
    ...(partitionKeys.length > 0 ? ['PARTITIONED BY ( ', ...list(partitionKeys)] : []),
    'ROW FORMAT SERDE ',
    `  '${SerdeInfo?.SerializationLibrary}' `,
    ...serde,
    'STORED AS INPUTFORMAT ',
    `  '${InputFormat}' `,
    'OUTPUTFORMAT ',
    `  '${OutputFormat}'`,
    'LOCATION',
    `  '${Location}'`,
    ...properties,
  ].map((line, index, all) => (index === all.length - 1 ? line.trimEnd() : line));
}
