import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { labelKey } from '../../../shared/state/keys.ts';
import { currentEpoch, epochLabelShard } from '../../../shared/state/label-ledger.ts';
import type { StateTable } from '../../../shared/state/table.ts';

/** Adds labels to the ledger, every third of class 1. @param epoch the current one, if not given: a writer may be late. */
export async function addLabels(table: StateTable, count: number, prefix: string, epoch?: number): Promise<void> {
  const into = epoch ?? (await currentEpoch(table));
  for (let index = 0; index < count; index += 1) {
    const [record, label] = [`${prefix}-${index}`, index % 3 === 0 ? '1' : '0'] as const;
    const shard = epochLabelShard(into, label, record);
    const item = marshall({ pk: labelKey(record), label, epoch: into, epochLabelShard: shard });
    await table.dynamodb.send(new PutItemCommand({ TableName: table.name, Item: item }));
  }
}
