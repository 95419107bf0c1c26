import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { pagesOf } from '../stage/table.ts';

/** Key prefix of the label ledger's entries in the state table. */
const LABEL_KEY_PREFIX = 'label#';

/** Records that were ever labeled, by the class that they have now. */
export type LabelCounts = Readonly<Record<'0' | '1', number>>;

/** Counts the label ledger, which has one entry for each record that was ever labeled. It is read consistently. */
export async function countLabels(dynamodb: DynamoDBClient, stateTable: string): Promise<LabelCounts> {
  const counts = { '0': 0, '1': 0 };
  for await (const items of pagesOf(dynamodb, stateTable)) {
    for (const { pk, label } of items) {
      if (pk?.S?.startsWith(LABEL_KEY_PREFIX)) counts[label?.S === '1' ? '1' : '0'] += 1;
    }
  }
  return counts;
}

/** Labels of both classes. */
export function countedIn(counts: LabelCounts): number {
  return counts['0'] + counts['1'];
}
