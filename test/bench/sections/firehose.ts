import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import {
  BILLING_UNIT_BYTES,
  billedBytes,
  RECORDS_PER_CALL_MAX,
  rowPacker,
} from '../../../shared/change-log/packing.ts';
import { changeLogRowWriter } from '../../../shared/change-log/row.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { changeLogSink } from '../../../shared/sinks/change-log.ts';
import { startAnsweringServer } from '../measure/processes.ts';
import { timeInRounds, timingOf } from '../measure/rounds.ts';
import { pace, timedChanges } from './online-write.ts';

/** What Firehose bills for batches of changes: packed, and one row a record as the services' examples do it. */
export async function firehose({ quick }: { quick: boolean }) {
  const pack = rowPacker(changeLogRowWriter(bankMarketing));
  const sizes = [1, 10, 30, 100, 500, 10_000];
  const billing = Object.fromEntries(
    sizes.map((rows) => {
      const records = pack(timedChanges(rows));
      const payloadBytes = records.reduce((bytes, { data }) => bytes + data.length, 0);
      const billed = billedBytes(records);
      const billedRowByRow = rows * BILLING_UNIT_BYTES * Math.ceil(payloadBytes / rows / BILLING_UNIT_BYTES);
      return [
        rows,
        {
          firehoseRecords: records.length,
          payloadBytes,
          billedBytes: billed,
          billedOverPayload: billed / payloadBytes,
          rowByRowBilledOverPayload: billedRowByRow / payloadBytes,
        },
      ];
    }),
  );
  const changes = timedChanges(10_000);
  const { packing } = timeInRounds({ packing: { prepare: () => changes, run: () => pack(changes) } }, quick ? 5 : 25);
  return {
    billing,
    packingMicrosecondsPerRow: ((packing?.bestMs ?? 0) * 1_000) / changes.length,
    sending: await sending(quick ? 4 : 15),
  };
}

/** CPU of a row, from a change to the answer of a server that answers at once. Rows are made by the same writer. */
async function sending(rounds: number) {
  const server = await startAnsweringServer();
  const client = new FirehoseClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const changes = timedChanges(10_000);
  const pack = rowPacker(changeLogRowWriter(bankMarketing));
  const sink = changeLogSink(bankMarketing, 'change-log', client);
  const ways: Record<string, () => Promise<unknown>> = {
    'SDK PutRecordBatch, each row a record': async () => {
      for (let at = 0; at < changes.length; at += RECORDS_PER_CALL_MAX) {
        const call = changes.slice(at, at + RECORDS_PER_CALL_MAX);
        const Records = call.flatMap((change) => pack([change]).map(({ data }) => ({ Data: data })));
        await client.send(new PutRecordBatchCommand({ DeliveryStreamName: 'change-log', Records }));
      }
    },
    'sink, packed': async () => {
      const { failures } = await sink.write(changes, pace);
      if (failures.length > 0) throw new Error(failures[0]?.message);
    },
  };
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const [name, send] of Object.entries(ways)) {
      const start = process.cpuUsage();
      await send();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times[name]?.push((user + system) / changes.length);
    }
  }
  server.close();
  return Object.fromEntries(
    Object.entries(times).map(([name, microseconds]) => {
      const { bestMs: best, medianMs: median, spread } = timingOf(microseconds);
      return [name, { microsecondsPerRow: best, medianMicroseconds: median, spread }];
    }),
  );
}
