import { sqlName, sqlText } from '../change-log/sql.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { type TrainingColumn, trainingColumnsOf } from '../model/encode.ts';
import type { Encoding } from '../model/encoding.ts';
import {
  columnSql,
  hashSql,
  inSplit,
  labelSql,
  type SnapshotSource,
  TRAINABLE,
  trainableRowsSql,
} from './training-set.ts';

/**
 * Rows by which the first model of a schema is compared with the one that serves, which is of another: the same records,
 * each in both encodings. The champion reads them as it would read them in a prediction today.
 */

/** A number that the champion cannot do without. */
const isNeeded = (column: TrainingColumn): boolean => column.holds === 'value' && !column.feature.optional;

/**
 * Why the champion cannot read records of this definition, as a sentence; undefined when it can. A feature that is gone
 * is missing in every record, as it is in predictions.
 */
export function unreadableBy(champion: Encoding, group: FeatureGroup): string | undefined {
  for (const column of trainingColumnsOf(champion)) {
    const { name, type } = column.feature;
    const defined = group.features.find((it) => it.name === name);
    if (!defined && isNeeded(column)) return `The definition no longer has ${name}, which the model that serves needs.`;
    if (defined && defined.type !== type) return `The type of ${name} is another one for the model that serves.`;
  }
  return undefined;
}

/** Name of the relation that holds each record once, and its number. */
const NUMBERED = 'numbered';

/**
 * UNLOAD of the rows to judge by, two for each record, in a folder for each model. A row is the label; 1 if the champion
 * has all that it needs, or 0; the record's number; zeros as far as the other model has more columns; the model's columns.
 * A record that the champion cannot read is there all the same, so that there are as many as counted.
 *
 * @param uri an empty prefix, `s3://…/`.
 */
export function sharedRowsQuery(
  group: FeatureGroup,
  { challenger, champion }: { readonly challenger: Encoding; readonly champion: Encoding },
  source: SnapshotSource,
  uri: string,
): string {
  const isDefined = ({ feature }: TrainingColumn) => group.features.some(({ name }) => name === feature.name);
  const ours = trainingColumnsOf(challenger);
  const theirs = trainingColumnsOf(champion);
  const needed = new Set(theirs.filter(isNeeded).map(({ feature }) => `${sqlName(feature.name)} IS NOT NULL`));
  const readable = needed.size === 0 ? '1' : `CASE WHEN ${[...needed].join(' AND ')} THEN 1 ELSE 0 END`;
  const ofOurs = ours.map((column) => columnSql(column));
  const ofTheirs = theirs.map((column) => {
    const sql = columnSql(column, isDefined(column) ? undefined : 'CAST(NULL AS VARCHAR)');
    return isNeeded(column) ? `COALESCE(${sql}, 0)` : sql;
  });
  const width = Math.max(ours.length, theirs.length);
  const filled = (columns: readonly string[]) => [...Array(width - columns.length).fill('0'), ...columns];
  const champions = filled(ofTheirs);
  const columns = [
    labelSql(group),
    readable,
    '"_number"',
    ...filled(ofOurs).map(
      (sql, index) =>
        `CASE WHEN "side" = 'challenger' THEN CAST(${sql} AS DOUBLE) ELSE CAST(${champions[index]} AS DOUBLE) END`,
    ),
  ];
  const asked = [...ours, ...theirs.filter(isDefined)].map(({ feature }) => feature.name);
  return `UNLOAD (
SELECT
${columns.map((sql, index) => `  ${sql} AS c${index}`).join(',\n')},
  "side"
FROM (
SELECT *, row_number() OVER (ORDER BY ${hashSql(group, TRAINABLE)}) AS "_number"
FROM (
${trainableRowsSql(group, source, asked)}
) AS "trainable"
WHERE ${inSplit(group, 'judge')}
) AS "${NUMBERED}"
CROSS JOIN (VALUES ('challenger'), ('champion')) AS "sides" ("side")
)
TO ${sqlText(uri)}
WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE', partitioned_by = ARRAY['side'])`;
}
