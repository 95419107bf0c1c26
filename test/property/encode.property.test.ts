import { createHash } from 'node:crypto';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DUCKDB_MACROS } from '../../infra/local/trino-functions.ts';
import { trinoToDuckDb } from '../../infra/local/trino-to-duckdb.ts';
import { sqlName, sqlText } from '../../shared/change-log-sql.ts';
import { encode } from '../../shared/encode.ts';
import {
  columnsOf,
  defineFeatureGroup,
  type Feature,
  type FeatureGroup,
  type FeatureGroupInput,
} from '../../shared/feature-groups/define.ts';
import { countQuery, type Split, trainingRowsSql } from '../../shared/training-set.ts';

const DATABASE = 'tributary_property_dev';

interface Row {
  readonly identifier: string;
  readonly label: '0' | '1' | undefined;
  readonly features: Readonly<Record<string, string | undefined>>;
}

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
  fc.record({
    type: fc.constant('categorical' as const),
    optional,
    training: fc.boolean(),
    encoding: fc.constantFrom('ordinal' as const, 'one-hot' as const),
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

const definition = fc
  .dictionary(featureName, featureInput, { minKeys: 1, maxKeys: 6 })
  .map((features) =>
    defineFeatureGroup({ name: 'generated', recordIdentifier: 'record-id', features, label: { name: 'Label' } }),
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
      return fc.oneof(fc.constantFrom(...feature.categories), fc.constant('unheard-of'));
    case 'string':
      return fc.string();
  }
}

const isRequiredNumber = (feature: Feature) => feature.training && !feature.optional && feature.type !== 'categorical';

/** Any feature may be missing; a required number rarely, as such a row does not train. */
const rowsOf = (group: FeatureGroup): fc.Arbitrary<Row[]> => {
  const features = Object.fromEntries(
    group.features.map((feature) => [
      feature.name,
      fc.option(textOf(feature), { nil: undefined, freq: isRequiredNumber(feature) ? 20 : 3 }),
    ]),
  );
  const row = fc.record({
    identifier: fc.string({ minLength: 1, unit: 'grapheme' }),
    label: fc.constantFrom('0' as const, '1' as const, undefined),
    features: fc.record(features),
  });
  return fc.uniqueArray(row, { minLength: 1, maxLength: 8, selector: (it) => it.identifier });
};

const groupAndRows = definition.chain((group) => fc.tuple(fc.constant(group), rowsOf(group)));

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run('SET integer_division = true');
  for (const macro of DUCKDB_MACROS) await connection.run(macro);
});
afterAll(() => connection.closeSync());

/** The change log's table with one INSERT per row, in the types of Glue's table. */
async function fillChangeLog(group: FeatureGroup, rows: readonly Row[]): Promise<void> {
  const types = {
    integral: 'BIGINT',
    fractional: 'DOUBLE',
    boolean: 'TINYINT',
    string: 'VARCHAR',
    categorical: 'VARCHAR',
  };
  const columns = columnsOf(group).map(({ name, feature }) => ({
    name,
    type: feature === 'label' ? 'TINYINT' : types[feature.type],
  }));
  const declared = columns.map(({ name, type }) => `${sqlName(name)} ${type}`).join(', ');
  const record = sqlName(group.recordIdentifier.name);
  const table = `${sqlName(DATABASE)}.change_log`;
  const values = rows.map(({ identifier, label, features }, index) => {
    const texts = columns.map(({ name, type }) => {
      const text = name === group.label.name ? label : features[name];
      return text === undefined ? 'NULL' : `CAST(${sqlText(text)} AS ${type})`;
    });
    const change = [String(index), 'INSERT', '2026-01-15T00:00:00.000Z'].map(sqlText);
    return `(${[...change, 'false', sqlText(identifier), ...texts].join(', ')})`;
  });
  await connection.run(`DROP SCHEMA IF EXISTS ${sqlName(DATABASE)} CASCADE; CREATE SCHEMA ${sqlName(DATABASE)};
    CREATE TABLE ${table} (sequence_number VARCHAR, event_name VARCHAR, event_time VARCHAR, ttl_expired BOOLEAN,
      ${record} VARCHAR, ${declared});
    INSERT INTO ${table} VALUES ${values.join(', ')}`);
}

async function select(sql: string): Promise<number[][]> {
  const reader = await connection.runAndReadAll(trinoToDuckDb(sql).sql);
  return reader.getRows().map((row) => row.map(Number));
}

const hashOf = (identifier: string) => createHash('md5').update(identifier, 'utf8').digest('hex');
const splitOf = (identifier: string): Split =>
  Number.parseInt(hashOf(identifier).slice(0, 4), 16) % 100 < 20 ? 'validation' : 'train';

/** What training should see of these rows, by the encoder of predictions. */
function expectedRows(group: FeatureGroup, rows: readonly Row[], split: Split): number[][] {
  return rows
    .filter(({ identifier, label }) => label !== undefined && splitOf(identifier) === split)
    .filter(({ features }) => group.features.every((it) => !isRequiredNumber(it) || features[it.name] !== undefined))
    .sort((a, b) => (hashOf(a.identifier) < hashOf(b.identifier) ? -1 : 1))
    .map(({ label, features }) => [
      Number(label),
      ...encode(group, features).map((text) => positiveZero(Number(text))),
    ]);
}

const positiveZero = (number: number) => number + 0;

describe('the training set and the encoder of predictions', () => {
  test('give the same numbers for every row', async () => {
    await fc.assert(
      fc.asyncProperty(groupAndRows, async ([group, rows]) => {
        await fillChangeLog(group, rows);
        for (const split of ['train', 'validation'] as const) {
          const found = await select(trainingRowsSql(group, DATABASE, split));
          expect(found.map((row) => row.map(positiveZero))).toEqual(expectedRows(group, rows, split));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('are counted before they are built', async () => {
    await fc.assert(
      fc.asyncProperty(groupAndRows, async ([group, rows]) => {
        await fillChangeLog(group, rows);
        const train = expectedRows(group, rows, 'train').map(([label]) => label);
        const validation = expectedRows(group, rows, 'validation').map(([label]) => label);
        const count = (labels: (number | undefined)[], wanted: number) => labels.filter((it) => it === wanted).length;
        expect(await select(countQuery(group, DATABASE))).toEqual([
          [
            train.length,
            validation.length,
            ...[count(train, 1), count(train, 0), count(validation, 1), count(validation, 0)],
          ],
        ]);
      }),
      { numRuns: 50 },
    );
  });
});
