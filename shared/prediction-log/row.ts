import { type Escape, plainCharacters } from '../bytes/writer.ts';
import { fieldText, type RowWriter } from '../change-log/row.ts';

/** Prefix of its files in the data bucket; a folder for each day follows. */
export const PREDICTION_LOG_PREFIX = 'prediction-log/';
/** Glue's table of them. */
export const PREDICTION_LOG_TABLE = 'prediction_log';

/** A prediction as it is kept: what was asked, what was answered, and by what. */
export interface LoggedPrediction {
  /** Tells copies of a row from another prediction. */
  readonly predictionId: string;
  /** Epoch milliseconds. */
  readonly predictedAtMs: number;
  /** Undefined where a request brought the features itself. */
  readonly recordIdentifier: string | undefined;
  readonly score: number;
  /** Null where a number is predicted, which is the score. */
  readonly predictedLabel: number | null;
  readonly threshold: number | null;
  readonly model: string;
  readonly schemaHash: string;
  /** The row that the endpoint was sent, column by column. */
  readonly encodedRow: readonly string[];
}

/** Columns of a row in their order, with the texts that they hold; null is NULL. */
const COLUMNS = {
  prediction_id: (it) => it.predictionId,
  predicted_at: (it) => new Date(it.predictedAtMs).toISOString(),
  record_identifier: (it) => it.recordIdentifier ?? null,
  score: (it) => String(it.score),
  predicted_label: (it) => (it.predictedLabel === null ? null : String(it.predictedLabel)),
  threshold: (it) => (it.threshold === null ? null : String(it.threshold)),
  model: (it) => it.model,
  schema_hash: (it) => it.schemaHash,
  encoded_row: (it) => it.encodedRow.join(','),
} satisfies Readonly<Record<string, (prediction: LoggedPrediction) => string | null>>;

export type PredictionColumn = keyof typeof COLUMNS;

/** All columns of a row, in order. They are append-only: files of former versions stay readable. */
export const PREDICTION_COLUMNS = Object.keys(COLUMNS) as readonly PredictionColumn[];

/** A row is escaped field by field before it is written. */
const ESCAPED: Escape = { plain: plainCharacters(''), write: (text) => text, bytesPerCharacterMax: 3 };

/** Writes a row in the form of the change log, newline included. */
export const writePredictionRow: RowWriter<LoggedPrediction> = (prediction, to) => {
  const fields = Object.values(COLUMNS).map((textOf) => fieldText(textOf(prediction)));
  to.reserve(0);
  to.text(`${fields.join(',')}\n`, ESCAPED);
};
