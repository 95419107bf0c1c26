import { FirehoseClient } from '@aws-sdk/client-firehose';
import { CLIENT_SETTINGS, systemTime } from '../calls/client-settings.ts';
import { describeError } from '../calls/failure.ts';
import { paceUntil, type Time } from '../calls/pace.ts';
import { type DeliveryStream, sendRows } from '../change-log/firehose.ts';
import { rowPacker } from '../change-log/packing.ts';
import { type LoggedPrediction, writePredictionRow } from './row.ts';

/** Longest time that an answer waits for its log, in milliseconds, repetitions included. */
const LOG_MS_MAX = 1_000;

/** What the log did not take in time, and why. */
export interface NotLogged {
  readonly count: number;
  readonly error: string;
}

/** Keeps predictions. Never throws. */
export type PredictionLog = (predictions: readonly LoggedPrediction[]) => Promise<NotLogged>;

/**
 * Makes the log of predictions: each a CSV row, through a delivery stream of its own into S3. It is written before the
 * answer is given, as Lambda freezes a function with its answer.
 *
 * Idempotent by the reader: a row written twice (a call whose answer was lost, Firehose's own at-least-once delivery) has
 * the same `prediction_id` twice. What is counted as not logged may be there: its call was cut off, not undone.
 */
export function predictionLog(stream: DeliveryStream, time: Time): PredictionLog {
  const pack = rowPacker(writePredictionRow);
  return async (predictions) => {
    try {
      const { records, error } = await sendRows(stream, pack(predictions), paceUntil(time, time.now() + LOG_MS_MAX));
      return { count: records.reduce((count, { rows }) => count + rows.length, 0), error };
    } catch (cause) {
      return { count: predictions.length, error: describeError(cause) };
    }
  };
}

/**
 * The log by the SDK's own configuration. One attempt at a time, so that the error of each is known and not that of the
 * SDK's being cut off while it waits.
 *
 * @param name of the delivery stream.
 */
export const openPredictionLog = (name: string): PredictionLog =>
  predictionLog({ name, firehose: new FirehoseClient({ ...CLIENT_SETTINGS, maxAttempts: 1 }) }, systemTime);
