import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { TimedChange } from '../../../shared/changes/change.ts';
import { type FenceForm, fencesIn } from '../../../shared/state/fences/forms.ts';
import type { StateTable } from '../../../shared/state/table.ts';
import { startAnsweringServer } from '../measure/processes.ts';
import { pace } from './online-write.ts';

/** Changes of a shard in a second, which is what a shard takes, and so the batch of a window of one second. */
const CHANGES = 1_000;
const SHARDS = [1, 10, 100];
const ROUNDS = 5;
const KB = 1_024;
type Item = Record<string, AttributeValue>;

/** Calls, and units of a table on demand: 1 KB written, 4 KB read consistently, an absent item too. */
class Meter {
  calls = 0;
  writeUnits = 0;
  readUnits = 0;
  readonly #sets = new Map<string, Set<string>>();
  readonly #client: DynamoDBClient;

  constructor(client: DynamoDBClient) {
    this.#client = client;
  }

  async send(command: never, options: never): Promise<unknown> {
    this.calls += 1;
    const answer = await this.#client.send(command, options);
    this.#note(command, answer);
    return answer;
  }

  #note(command: object, answer: unknown): void {
    if (command instanceof PutItemCommand) this.writeUnits += units(bytesOf(command.input.Item ?? {}), KB);
    else if (command instanceof UpdateItemCommand) {
      const { Key, ExpressionAttributeValues: values } = command.input;
      const key = Key?.pk?.S ?? '';
      const set = this.#sets.get(key) ?? new Set();
      for (const entry of values?.[':pages']?.SS ?? []) set.add(entry);
      this.#sets.set(key, set);
      this.writeUnits += units(
        bytesOf({ pk: { S: key }, pages: { SS: [...set] }, expiresAt: { N: '1790000000' } }),
        KB,
      );
    } else if (command instanceof BatchExecuteStatementCommand) {
      for (const { Statement = '', Parameters = [] } of command.input.Statements ?? []) {
        const names = Statement.match(/\w+(?=["'])/g) ?? [];
        this.writeUnits += units(bytesOf(Object.fromEntries(Parameters.map((it, n) => [names[n] ?? '', it]))), KB);
      }
    } else if (command instanceof BatchGetItemCommand) {
      const asked = Object.values(command.input.RequestItems ?? {})[0]?.Keys?.length ?? 0;
      const found = Object.values((answer as { Responses?: Record<string, Item[]> }).Responses ?? {})[0] ?? [];
      this.readUnits += asked - found.length + found.reduce((sum, item) => sum + units(bytesOf(item), 4 * KB), 0);
    }
  }
}

const units = (bytes: number, of: number): number => Math.max(1, Math.ceil(bytes / of));

/** Bytes of an item as DynamoDB counts them: names and values. */
function bytesOf(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => {
    const text = [value.S ?? '', value.N?.slice(value.N.length / 2) ?? '', ...(value.SS ?? [])].join('');
    return sum + Buffer.byteLength(name) + Buffer.byteLength(text) + 1;
  }, 0);
}

/** A shard's changes of one second. */
function changesOf(shard: number, second: number): TimedChange[] {
  return Array.from({ length: CHANGES }, (_, n) => ({
    ...{ eventName: 'MODIFY', second, ttlExpired: false, values: [], newLabel: undefined, eventTimeMs: second * 1_000 },
    sequenceNumber: String(4421584500000000017450439091n + BigInt(shard * CHANGES + n) * 977n),
    recordIdentifier: `customer-${shard}-${n}`,
  }));
}

/**
 * What fences cost a full batch of a shard, when as many shards have written in the same second: calls and units, the
 * mean of all shards; CPU of the last one, which finds the most.
 */
export async function fences({ quick }: { quick: boolean }) {
  const rows: Record<string, object> = {};
  for (const form of ['items', 'pages'] as const) {
    for (const shards of quick ? SHARDS.slice(0, 2) : SHARDS)
      rows[`${form}, ${shards} shards`] = await measure(form, shards);
  }
  return rows;
}

async function measure(form: FenceForm, shards: number) {
  const server = await startAnsweringServer();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const meter = new Meter(new DynamoDBClient({ endpoint: server.endpoint, region: 'us-east-1', credentials }));
  const store = fencesIn(form, { name: 'state', dynamodb: meter as unknown as StateTable['dynamodb'] }, false);
  const batch = async (shard: number, second: number) => {
    const changes = changesOf(shard, second);
    const sought = changes.map(({ recordIdentifier }) => ({ recordIdentifier, from: second, to: second + 3 }));
    const found = await store.read(sought, pace);
    await store.write(
      changes.map((change) => ({ change })),
      found,
      pace,
    );
  };
  // Where a fence is an item, other shards change nothing for this one.
  const writers = form === 'items' ? 1 : shards;
  let second = 1_790_000_000;
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    second += 1;
    for (let shard = 1; shard < writers; shard += 1) await batch(shard, second);
    const start = process.cpuUsage();
    await batch(0, second);
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / CHANGES);
  }
  server.close();
  const batches = ROUNDS * writers;
  const { calls, writeUnits, readUnits } = meter;
  return {
    calls: Math.round(calls / batches),
    writeUnits: Math.round(writeUnits / batches),
    readUnits: Math.round(readUnits / batches),
    cpuMicrosecondsPerChange: Math.min(...times),
  };
}
