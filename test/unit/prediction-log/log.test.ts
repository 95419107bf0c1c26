import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../shared/bytes/writer.ts';
import { predictionLog } from '../../../shared/prediction-log/log.ts';
import { type LoggedPrediction, PREDICTION_COLUMNS, writePredictionRow } from '../../../shared/prediction-log/row.ts';
import { pace } from '../../given/pace.ts';

const prediction = (overrides: Partial<LoggedPrediction> = {}): LoggedPrediction => ({
  predictionId: 'id-1',
  predictedAtMs: Date.parse('2026-01-15T10:00:00.250Z'),
  recordIdentifier: 'a-1',
  score: 0.75,
  predictedLabel: 1,
  threshold: 0.5,
  model: 'model-1',
  schemaHash: '4d26141fbc63c0c2',
  encodedRow: ['12.5', '0', '1'],
  ...overrides,
});

function rowOf(overrides: Partial<LoggedPrediction>): string {
  const to = new ByteWriter(8);
  writePredictionRow(prediction(overrides), to);
  return to.copy(0, to.length).toString();
}

describe('a row of the prediction log', () => {
  test('has a field for each column, with the encoded row as one of them', () => {
    const row = rowOf({});
    expect(row).toBe('id-1,2026-01-15T10:00:00.250Z,a-1,0.75,1,0.5,model-1,4d26141fbc63c0c2,12.5\\,0\\,1\n');
    expect(row.split(/(?<!\\),/)).toHaveLength(PREDICTION_COLUMNS.length);
  });

  test('says by NULL that there was no identifier and no threshold', () => {
    expect(rowOf({ recordIdentifier: undefined, threshold: null })).toContain('250Z,\\N,0.75,1,\\N,model-1');
  });

  test('is one line, whatever the identifier holds', () => {
    expect(rowOf({ recordIdentifier: 'a,b\\c\nd é' })).toContain(',a\\,b\\\\c d é,');
  });
});

describe('the log', () => {
  interface Sent {
    readonly input: { readonly DeliveryStreamName: string; readonly Records: readonly { readonly Data: Uint8Array }[] };
  }
  function logOver(answer: (nth: number) => unknown, time = pace()) {
    const calls: Sent['input'][] = [];
    const send = async ({ input }: Sent) => {
      calls.push(input);
      return answer(calls.length);
    };
    return { calls, log: predictionLog({ name: 'predictions', firehose: { send } as never }, time) };
  }
  /** Time that goes on with each look at it, past the second that a log has. */
  const running = () => {
    let now = 0;
    return pace({ now: () => (now += 300) });
  };

  test('packs the predictions of a request into one record', async () => {
    const { log, calls } = logOver(() => ({ FailedPutCount: 0 }));
    const two = [prediction(), prediction({ predictionId: 'id-2' })];
    expect((await log(two)).count).toBe(0);
    expect(calls.map(({ DeliveryStreamName }) => DeliveryStreamName)).toEqual(['predictions']);
    const [{ Data } = { Data: new Uint8Array() }] = calls[0]?.Records ?? [];
    expect(
      Buffer.from(Data)
        .toString()
        .match(/^id-\d/gm),
    ).toEqual(['id-1', 'id-2']);
  });

  test('tries again within its time', async () => {
    const { log, calls } = logOver((nth) => {
      if (nth === 1) throw Object.assign(new Error('m'), { name: 'ServiceUnavailableException' });
      return { FailedPutCount: 0 };
    });
    expect((await log([prediction()])).count).toBe(0);
    expect(calls).toHaveLength(2);
  });

  test('counts what Firehose did not take in time, and names the service’s code', async () => {
    const { log } = logOver(() => {
      throw Object.assign(new Error('Value "jane@example.org"'), { name: 'ServiceUnavailableException' });
    }, running());
    expect(await log([prediction(), prediction()])).toEqual({ count: 2, error: 'ServiceUnavailableException' });
  });

  test('counts a record that Firehose answers with an error of its own', async () => {
    const refused = { FailedPutCount: 1, RequestResponses: [{ ErrorCode: 'InternalFailure' }] };
    const { log } = logOver(() => refused, running());
    expect(await log([prediction()])).toEqual({ count: 1, error: 'InternalFailure' });
  });

  test('throws nothing for a row that no record holds', async () => {
    const { log, calls } = logOver(() => ({ FailedPutCount: 0 }));
    const { count, error } = await log([prediction({ encodedRow: ['1'.repeat(1_100_000)] })]);
    expect([count, calls.length]).toEqual([1, 0]);
    expect(error).toBe('RangeError');
  });
});
