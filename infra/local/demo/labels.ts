import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { scanAll } from './table.ts';

/** Key prefix of the label ledger's entries in the state table. */
const LABEL_KEY_PREFIX = 'label#';

/** The label ledger: one entry per record that was ever labelled. */
export interface LabelLedger {
  readonly recordIdentifiers: ReadonlySet<string>;
  readonly byClass: Readonly<Record<'0' | '1', number>>;
  /** Entries per epoch: what each epoch has counted. */
  readonly byEpoch: ReadonlyMap<number, number>;
}

/** Reads the label ledger, consistently. */
export async function readLabelLedger(dynamodb: DynamoDBClient, stateTable: string): Promise<LabelLedger> {
  const recordIdentifiers = new Set<string>();
  const byClass = { '0': 0, '1': 0 };
  const byEpoch = new Map<number, number>();
  for (const { pk, label, epoch } of await scanAll(dynamodb, stateTable)) {
    if (!pk?.S?.startsWith(LABEL_KEY_PREFIX)) continue;
    recordIdentifiers.add(pk.S.slice(LABEL_KEY_PREFIX.length));
    byClass[label?.S === '1' ? '1' : '0'] += 1;
    byEpoch.set(Number(epoch?.N), (byEpoch.get(Number(epoch?.N)) ?? 0) + 1);
  }
  return { recordIdentifiers, byClass, byEpoch };
}
