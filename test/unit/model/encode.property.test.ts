import { createHash } from 'node:crypto';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GlueCatalog } from '../../../infra/local/athena/catalog.ts';
import { type Parse, trinoGrammar } from '../../../infra/local/athena/sql/grammar.ts';
import { translateQuery } from '../../../infra/local/athena/sql/sql.ts';
import { registerUdfs } from '../../../infra/local/athena/sql/udf/register.ts';
import { sqlName, sqlText } from '../../../shared/change-log/sql.ts';
import { featureTexts, type TimedChange } from '../../../shared/changes/change.ts';
import { formatEventTime } from '../../../shared/changes/event-time.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import { defineFeatureGroup } from '../../../shared/feature-groups/define.ts';
import { encode } from '../../../shared/model/encode.ts';
import { snapshotRowsSql } from '../../../shared/training/snapshot.ts';
import { countQuery, type Split, trainingRowsSql } from '../../../shared/training/training-set.ts';
import { deliveriesOf, isRequiredNumber, learnedFrom } from '../../given/change-histories.ts';

const DATABASE = 'tributary_property_dev';

const SOURCE = { database: DATABASE, snapshot: 'now' };
const NOW = Date.UTC(2026, 1, 1);

const optional = fc.boolean();
const featureInput: fc.Arbitrary<FeatureGroupInput['features'][string]> = fc.oneof(
  fc.record({
    type: fc.constant('integral' as const),
    optional,
    imputeWith: fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  }),
  fc.record({ type: fc.constant('fractional' as const), optional, imputeWith: fc.integer() }),
  fc.record({ type: fc.constant('boolean' as const), optional }),
  fc.record({ type: fc.constant('string' as const), optional }),
  fc.record({ type: fc.constant('timestamp' as const), optional }),
  fc.record({ type: fc.constant('hashed' as const), optional, buckets: fc.integer({ min: 2, max: 5 }) }),
  fc.record({
    type: fc.constant('categorical' as const),
    optional,
    training: fc.boolean(),
    encoding: fc.constantFrom('ordinal' as const, 'one-hot' as const),
    others: fc.boolean(),
    categories: fc.uniqueArray(
      fc.oneof(
        fc.constantFrom("it's", 'a,b', '"', '\\', 'Ä', 'a', 'A'),
        fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
      ),
      { minLength: 2, maxLength: 5 },
    ),
  }),
);

/** Names that SQL would misread unquoted, and names that differ from a keyword by case. */
const featureName = fc.constantFrom('age', 'order-by', 'Select', 'default', 'a_b', 'x1', '2nd', 'constructor', 'GROUP');

const ignored = fc.constantFrom('delete' as const, 'keep' as const);
const definition = fc
  .record({
    features: fc
      .dictionary(featureName, featureInput, { minKeys: 1, maxKeys: 6 })
      .filter((features) => Object.values(features).some(({ type, training = true }) => type !== 'string' && training)),
    trainingTime: fc.constantFrom('latest' as const, 'as-of-label' as const),
    ...{ onDelete: ignored, onTtlExpiry: ignored },
  })
  .map((input) =>
    defineFeatureGroup({ name: 'generated', recordIdentifier: 'record-id', label: { name: 'Label' }, ...input }),
  );

const decimalText = fc
  .tuple(fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }), fc.integer({ min: -130, max: 87 }))
  .map(([digits, exponent]) => `${digits}E${exponent}`);

function textOf(feature: Feature): fc.Arbitrary<string | undefined> {
  switch (feature.type) {
    case 'integral': {
      const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
      return fc.oneof(fc.constantFrom(2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 0n), int64).map(String);
    }
    case 'fractional':
      return fc.oneof(
        fc.constantFrom('0', '-0', '0.1', '1.50', '9.99E125', '1E-130', '0.30000000000000000001'),
        fc.double({ noNaN: true, min: -1e125, max: 1e125 }).map(String),
        decimalText,
      );
    case 'boolean':
      return fc.constantFrom('0', '1');
    case 'categorical':
      return fc.oneof(fc.constantFrom(...feature.categories), fc.constantFrom('unheard-of', '', 'two\nlines'));
    case 'hashed':
      return fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('two\r\nlines', '7', ''));
    case 'timestamp':
      return fc
        .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.nat({ max: 999_999_999 }))
        .map(([seconds, nanos]) => `${seconds}.${String(nanos).padStart(9, '0')}`);
    case 'string':
      return fc.string();
  }
}

const identifier = fc.string({ minLength: 1, unit: 'grapheme' });
const groupAndRows = definition.chain((group) =>
  fc.tuple(fc.constant(group), deliveriesOf(group, identifier, textOf, 1)),
);

let connection: DuckDBConnection;
let parse: Parse;
const catalog = new GlueCatalog();

beforeAll(async () => {
  parse = await trinoGrammar();
  connection = await (await DuckDBInstance.create(':memory:')).connect();
  registerUdfs(connection);
});
afterAll(() => connection.closeSync());

const HIVE_TYPES: Readonly<Record<string, string>> = {
  ...{ BIGINT: 'bigint', DOUBLE: 'double', TINYINT: 'tinyint', VARCHAR: 'string', BOOLEAN: 'boolean' },
};

interface TypedColumn {
  readonly name: string;
  readonly type: string;
}

/** A table of the catalog, whose rows the test makes itself. */
function registerTable(name: string, columns: readonly TypedColumn[], ...partitionKeys: string[]): void {
  catalog.registerTable(DATABASE, {
    Name: name,
    PartitionKeys: partitionKeys.map((key) => ({ Name: key, Type: 'string' })),
    Parameters: { 'projection.enabled': 'true' },
    StorageDescriptor: {
      Columns: columns.map((column) => ({ Name: column.name, Type: HIVE_TYPES[column.type] ?? '' })),
      Location: `s3://data/${name}/`,
      SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' },
    },
  });
}

/** The change log's table in the types of Glue's table, which has spaces for line breaks, and the snapshot of it. */
async function fillSnapshot(group: FeatureGroup, rows: readonly TimedChange[]): Promise<void> {
  const types = {
    integral: 'BIGINT',
    fractional: 'DOUBLE',
    boolean: 'TINYINT',
    string: 'VARCHAR',
    categorical: 'VARCHAR',
    timestamp: 'DOUBLE',
    hashed: 'VARCHAR',
  };
  const columns = columnsOf(group).map(({ name, feature }) => ({
    name,
    type: feature === 'label' ? 'TINYINT' : types[feature.type],
  }));
  const declared = columns.map(({ name, type }) => `${sqlName(name)} ${type}`).join(', ');
  const record = sqlName(group.recordIdentifier.name);
  const table = `${sqlName(DATABASE)}.change_log`;
  const values = rows.map((row) => {
    const texts = featureTexts(group, row);
    const cells = columns.map(({ type }, index) => {
      const text = texts[index];
      return text === undefined || text === null
        ? 'NULL'
        : `CAST(${sqlText(text.replace(/\r\n|[\r\n]/g, ' '))} AS ${type})`;
    });
    const change = [row.sequenceNumber, row.eventName, formatEventTime(row.eventTimeMs)].map(sqlText);
    return `(${[...change, row.ttlExpired, sqlText(row.recordIdentifier), ...cells, "'2026-01-31'", 'NULL'].join(', ')})`;
  });
  const changeColumns = [
    ...['sequence_number', 'event_name', 'event_time'].map((name) => ({ name, type: 'VARCHAR' })),
    { name: 'ttl_expired', type: 'BOOLEAN' },
    { name: group.recordIdentifier.name, type: 'VARCHAR' },
    ...columns,
  ];
  registerTable('change_log', changeColumns, 'dt');
  const snapshot = translateQuery(snapshotRowsSql(group, { database: DATABASE, nowMs: NOW }), DATABASE, catalog, parse);
  const snapshotTypes = snapshot.columns.map(({ name = '' }) => ({
    name,
    type: changeColumns.find((it) => it.name.toLowerCase() === name)?.type ?? 'VARCHAR',
  }));

  registerTable('snapshots', snapshotTypes.slice(0, -1), 'snapshot_part', 'snapshot');
  const snapshotNames = snapshotTypes.map(({ name }) => sqlName(name)).join(', ');
  await connection.run(`DROP SCHEMA IF EXISTS ${sqlName(DATABASE)} CASCADE; CREATE SCHEMA ${sqlName(DATABASE)};
    CREATE TABLE ${table} (sequence_number VARCHAR, event_name VARCHAR, event_time VARCHAR, ttl_expired BOOLEAN,
      ${record} VARCHAR, ${declared}, dt VARCHAR, "$path" VARCHAR);
    INSERT INTO ${table} VALUES ${values.join(', ')};
    CREATE TABLE ${sqlName(DATABASE)}.snapshots AS
      SELECT *, 'now' AS snapshot, NULL AS "$path" FROM (${snapshot.sql}) AS s(${snapshotNames})`);
}

async function select(sql: string): Promise<unknown[][]> {
  const reader = await connection.runAndReadAll(translateQuery(sql, DATABASE, catalog, parse).sql);
  return reader.getRows();
}

const hashOf = (identifier: string) => createHash('md5').update(identifier, 'utf8').digest('hex');
function splitOf(identifier: string): Split {
  const bucket = Number.parseInt(hashOf(identifier).slice(0, 4), 16) % 100;
  return bucket < 10 ? 'judge' : bucket < 20 ? 'validation' : 'train';
}

/** What training should see of these changes, by the encoder of predictions. */
function expectedRows(group: FeatureGroup, rows: readonly TimedChange[], split: Split): number[][] {
  return learnedFrom(group, rows)
    .filter(({ recordIdentifier }) => splitOf(recordIdentifier) === split)
    .filter(({ features }) => group.features.every((it) => !isRequiredNumber(it) || features[it.name] !== undefined))
    .sort((a, b) => (hashOf(a.recordIdentifier) < hashOf(b.recordIdentifier) ? -1 : 1))
    .map(({ label, features }) => [
      Number(label),
      ...encode(group, features).map((text) => positiveZero(Number(text))),
    ]);
}

const positiveZero = (number: number) => number + 0;

describe('the training set and the encoder of predictions', () => {
  test('give the same numbers for every record, with the features of now and as of the label', async () => {
    await fc.assert(
      fc.asyncProperty(groupAndRows, async ([group, rows]) => {
        await fillSnapshot(group, rows);
        const found = await select(trainingRowsSql(group, SOURCE));
        for (const split of ['train', 'validation', 'judge'] as const) {
          const numbers = found.filter((row) => row.at(-1) === split).map((row) => row.slice(0, -1).map(Number));
          expect(numbers.map((row) => row.map(positiveZero))).toEqual(expectedRows(group, rows, split));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('are counted before they are built', async () => {
    await fc.assert(
      fc.asyncProperty(groupAndRows, async ([group, rows]) => {
        await fillSnapshot(group, rows);
        const expected = (['train', 'validation', 'judge'] as const).flatMap((split) => {
          const labels = expectedRows(group, rows, split).map(([label]) => label);
          return [labels.length, labels.filter((it) => it === 1).length, labels.filter((it) => it === 0).length];
        });
        const [counts = []] = await select(countQuery(group, SOURCE));
        expect(counts.slice(0, expected.length).map(Number)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});
