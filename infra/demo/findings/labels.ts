import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { scanAll } from '../stage/table.ts';

/** Key prefix of the label ledger's entries in the state table. */
const LABEL_KEY_PREFIX = 'label#';

/** A record that was labeled, as the label ledger has it. */
export interface LedgerEntry {
  readonly recordIdentifier: string;
  readonly label: '0' | '1';
  readonly epoch: number;
}

/** Reads the label ledger, consistently: one entry per record that was ever labeled, sorted by identifier. */
export async function readLabelLedger(dynamodb: DynamoDBClient, stateTable: string): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for (const { pk, label, epoch } of await scanAll(dynamodb, stateTable)) {
    if (!pk?.S?.startsWith(LABEL_KEY_PREFIX)) continue;
    entries.push({
      recordIdentifier: pk.S.slice(LABEL_KEY_PREFIX.length),
      label: label?.S === '1' ? '1' : '0',
      epoch: Number(epoch?.N),
    });
  }
  return entries.sort((a, b) => (a.recordIdentifier < b.recordIdentifier ? -1 : 1));
}

/** Entries of each class. */
export function byClass(entries: readonly LedgerEntry[]): Readonly<Record<'0' | '1', number>> {
  const ones = entries.filter(({ label }) => label === '1').length;
  return { '0': entries.length - ones, '1': ones };
}
