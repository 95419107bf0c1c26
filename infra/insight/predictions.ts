import { sqlName, sqlText } from '../../shared/change-log/sql.ts';
import type { PredictionColumn } from '../../shared/prediction-log/row.ts';
import { queryRows, type Value } from './query.ts';
import type { Sources } from './sources.ts';

/** Predictions of one record that are read, the newest. */
const PREDICTIONS_MAX = 100;

/** Of a kept prediction, what is read. */
const READ = [
  'predicted_at',
  'score',
  'predicted_label',
  'threshold',
  'model',
  'schema_hash',
  'encoded_row',
] as const satisfies readonly PredictionColumn[];

/** A prediction of a record, as the prediction log has it. */
export type KeptPrediction = Readonly<Record<(typeof READ)[number], Value>>;

/** The newest predictions that were kept of a record, newest first; undefined where `predictionLog` is off. */
export async function readPredictions(sources: Sources, id: string): Promise<KeptPrediction[] | undefined> {
  const { database, predictionLog } = sources.names;
  if (predictionLog === undefined) return undefined;
  // A row may be there twice, and then is so with one `prediction_id`.
  const sql = `SELECT DISTINCT ${READ.map(sqlName).join(', ')}, "prediction_id"
FROM ${sqlName(database)}.${sqlName(predictionLog)}
WHERE "record_identifier" = ${sqlText(id)}
ORDER BY "predicted_at" DESC, "prediction_id"
LIMIT ${PREDICTIONS_MAX}`;
  const { rows } = await queryRows(sources, sql, { rowsMax: PREDICTIONS_MAX });
  return rows.map((row) => Object.fromEntries(READ.map((name, index) => [name, row[index] ?? null])) as KeptPrediction);
}
