import { changeLogRowWriter } from '../../shared/change-log-row.ts';
import bankMarketing from '../../shared/feature-groups/bank-marketing.ts';
import { BILLING_UNIT_BYTES, billedBytes, rowPacker } from '../../shared/packing.ts';
import { timedChanges } from './online-write.ts';
import { timeInRounds } from './rounds.ts';

/** What Firehose bills for batches of changes: packed, and one row a record as the services' examples do it. */
export function firehose({ quick }: { quick: boolean }) {
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
  return { billing, packingMicrosecondsPerRow: ((packing?.bestMs ?? 0) * 1_000) / changes.length };
}
