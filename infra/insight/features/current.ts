import { LATEST_VIEW, sqlName, sqlText } from '../../../shared/change-log/sql.ts';
import type { Feature, FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { NUMBERS } from '../../../shared/definition/label.ts';
import { BUCKET_DIGITS, FIRST_DAY_SECOND, SECONDS_PER_DAY } from '../../../shared/model/encode.ts';
import { queryRows, type Value } from '../query.ts';
import type { Sources } from '../sources.ts';
import type { Spread } from './baseline.ts';
import type { Bins } from './bins.ts';

/** Expressions of one statement, at most: Trino compiles each of them. A statement of all features reads each column once. */
const CELLS_MAX = 1_000;

/** Shares of the records at which the bins of a number end that no training has told of. */
const BIN_ENDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** A feature, and what its values are dealt into. */
export interface Binned {
  readonly feature: Feature;
  readonly bins: Bins;
}

/** The records that are alive, by class. */
export interface Current {
  /** Records by class; under '' those without a label. */
  readonly rowsByClass: Readonly<Record<string, number>>;
  readonly features: ReadonlyMap<string, CurrentFeature>;
  /** What Athena bills, in bytes. */
  readonly scannedBytes: number;
}

export interface CurrentFeature {
  /** By class, as {@link Current.rowsByClass} names them. */
  readonly byClass: Readonly<Record<string, Spread>>;
  /** There is one value only, or none. */
  readonly isConstant: boolean;
  /** Least and greatest, of numbers. A time is in days, as trainings have it. */
  readonly range?: readonly [least: number, greatest: number];
}

/** One expression of a feature, over the records of a class. */
interface Cell extends Binned {
  readonly holds: 'missing' | 'bin' | 'least' | 'greatest';
  readonly sql: string;
}

/** Reads how the values of all records that are alive are spread. @throws as {@link queryRows}. */
export async function readCurrent(sources: Sources, binned: readonly Binned[]): Promise<Current> {
  const { group, names } = sources;
  const found: { cells: readonly Cell[]; rows: readonly (readonly Value[])[] }[] = [];
  let scannedBytes = 0;
  for (const cells of statements(binned)) {
    const sql = spreadSql(group, names.database, cells);
    const answer = await queryRows(sources, sql, { rowsMax: CELLS_MAX });
    scannedBytes += answer.scannedBytes;
    found.push({ cells, rows: answer.rows });
  }
  const rowsByClass = Object.fromEntries((found[0]?.rows ?? []).map(([label, rows]) => [label ?? '', Number(rows)]));
  const features = new Map<string, CurrentFeature>();
  for (const { cells, rows } of found) {
    for (const [name, ofFeature] of Map.groupBy(cells.entries(), ([, { feature }]) => feature.name)) {
      features.set(name, currentFeature(ofFeature, rows));
    }
  }
  return { rowsByClass, features, scannedBytes };
}

/** Where the bins of numbers end, by feature; none where all values are missing. Approximate, as Athena's percentiles are. */
export async function readEdges(sources: Sources, features: readonly Feature[]): Promise<Map<string, number[]>> {
  if (features.length === 0) return new Map();
  const ends = `ARRAY[${BIN_ENDS.map((it) => `DOUBLE '${it}'`).join(', ')}]`;
  const columns = features.map((it, index) => `approx_percentile(${numberSql(it)}, ${ends}) AS e${index}`);
  const { rows } = await queryRows(
    sources,
    `SELECT ${columns.join(',\n  ')}\nFROM ${latestOf(sources.names.database)}`,
    { rowsMax: 1 },
  );
  return new Map(features.map(({ name }, index) => [name, edgesIn(rows[0]?.[index] ?? null)]));
}

/** The numbers of an array as Athena writes it, `[1.0, 2.5]`, each once. */
function edgesIn(text: Value): number[] {
  const numbers = (text ?? '')
    .replaceAll(/[[\]]/g, '')
    .split(',')
    .filter((it) => it.trim() !== '')
    .map(Number);
  return [...new Set(numbers.filter(Number.isFinite))];
}

/** Runs of whole features, each of a statement's length. */
function statements(binned: readonly Binned[]): Cell[][] {
  const runs: Cell[][] = [[]];
  for (const cells of binned.map(cellsOf)) {
    if ((runs.at(-1)?.length ?? 0) + cells.length > CELLS_MAX) runs.push([]);
    runs.at(-1)?.push(...cells);
  }
  return runs;
}

function spreadSql(group: FeatureGroup, database: string, cells: readonly Cell[]): string {
  const name = group.label && sqlName(group.label.name);
  // Labels that are numbers are one class.
  const label = group.label?.type
    ? `CASE WHEN ${name} IS NOT NULL THEN '${NUMBERS}' END`
    : `CAST(${name ?? 'NULL'} AS varchar)`;
  const columns = [`${label} AS label`, 'count(*) AS n', ...cells.map(({ sql }, index) => `${sql} AS c${index}`)];
  return `SELECT ${columns.join(',\n  ')}\nFROM ${latestOf(database)}${group.label ? `\nGROUP BY ${label}` : ''}`;
}

const latestOf = (database: string): string => `${sqlName(database)}.${sqlName(LATEST_VIEW)}`;

function cellsOf({ feature, bins }: Binned): Cell[] {
  const value = sqlName(feature.name);
  const cell = (holds: Cell['holds'], sql: string): Cell => ({ feature, bins, holds, sql });
  return [
    cell('missing', `count_if(${value} IS NULL)`),
    ...binConditions(feature, bins).map((condition) => cell('bin', `count_if(${condition})`)),
    ...(['least', 'greatest'] as const).map((holds) =>
      cell(holds, `${holds === 'least' ? 'min' : 'max'}(${comparedSql(feature, bins)})`),
    ),
  ];
}

/** What a value must be to be of each bin. */
function binConditions(feature: Feature, bins: Bins): string[] {
  const value = sqlName(feature.name);
  switch (bins.of) {
    case 'numbers': {
      const number = numberSql(feature);
      const edges = bins.edges.map((edge) => `DOUBLE '${edge}'`);
      if (edges.length === 0) return [`${value} IS NOT NULL`];
      return [undefined, ...edges].map((from, index) => {
        const [least, below] = [from && `${number} >= ${from}`, edges[index] && `${number} < ${edges[index]}`];
        return [least, below].filter(Boolean).join(' AND ');
      });
    }
    case 'categories': {
      const known = bins.categories.map(sqlText);
      return [
        ...known.map((it) => `${value} = ${it}`),
        ...(bins.others ? [`${value} NOT IN (${known.join(', ')})`] : []),
      ];
    }
    case 'booleans':
      // Stored as 0 and 1.
      return [`${value} = 0`, `${value} = 1`];
    case 'buckets': {
      const hash = `from_base(substr(to_hex(md5(to_utf8(${value}))), 1, ${BUCKET_DIGITS}), 16)`;
      return Array.from({ length: bins.buckets }, (_, bucket) => `${hash} % ${bins.buckets} = ${bucket}`);
    }
    case 'nothing':
      return [];
  }
}

/** A number, or a time in days, as trainings have it. */
function numberSql(feature: Feature): string {
  const stored = `CAST(${sqlName(feature.name)} AS DOUBLE)`;
  return feature.type === 'timestamp' ? `((${stored} - ${FIRST_DAY_SECOND}) / ${SECONDS_PER_DAY})` : stored;
}

/** What tells whether there is one value only. Of texts their hashes, so that no text leaves Athena. */
function comparedSql(feature: Feature, bins: Bins): string {
  if (bins.of === 'numbers') return numberSql(feature);
  if (bins.of === 'booleans') return sqlName(feature.name);
  return `to_hex(md5(to_utf8(${sqlName(feature.name)})))`;
}

function currentFeature(
  cells: readonly (readonly [index: number, cell: Cell])[],
  rows: readonly (readonly Value[])[],
): CurrentFeature {
  /** Behind the label and the count. */
  const valuesOf = (row: readonly Value[], holds: Cell['holds']) =>
    cells.flatMap(([index, cell]) => (cell.holds === holds ? [row[index + 2] ?? null] : []));
  const byClass = rows.map((row) => {
    const [label, count] = row;
    const share = (value: Value | undefined) => Number(value ?? 0) / Math.max(1, Number(count));
    return [label ?? '', { missing: share(valuesOf(row, 'missing')[0]), shares: valuesOf(row, 'bin').map(share) }];
  });
  const ends = rows
    .flatMap((row) => [...valuesOf(row, 'least'), ...valuesOf(row, 'greatest')])
    .filter((it) => it !== null);
  const numbers = cells[0]?.[1].bins.of === 'numbers' ? ends.map(Number) : [];
  return {
    byClass: Object.fromEntries(byClass),
    isConstant: new Set(ends).size <= 1,
    ...(numbers.length > 0 && { range: [Math.min(...numbers), Math.max(...numbers)] }),
  };
}
