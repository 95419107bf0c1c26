import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Caller, Command } from '../aws/aws-call.ts';
import type { TrueChange } from '../world/source-table.ts';
import { World } from '../world/world.ts';
import { parseRow } from './change-log-rows.ts';
import type { Shrunk } from './shrink.ts';
import type { Violation } from './violation.ts';
import { batches, nameOf } from './witness.ts';

/** Lines of a story: its end is what matters. */
const LINES_MAX = 15;

/**
 * What happened to one record, in words: runs the seed once more, which goes exactly as before, and listens.
 */
export async function tellStory(seed: number, changes: number, violation: Violation, cut?: Shrunk): Promise<string[]> {
  const world = new World(seed, changes, cut);
  const lines: string[] = [];
  const id = violation.recordIdentifier;
  const at = () => new Date(world.scheduler.now).toISOString().slice(5, 23).replace('T', ' ');
  const say = (text: string) => lines.push(`${at()}  ${text}`);
  if (id !== undefined) listen(world, id, say);
  await world.run().catch(() => {});
  const {
    intensity,
    tieRule,
    tombstones,
    keys,
    numbersBeginAnew,
    hazardSeconds,
    batchSize,
    retriesMax,
    bisect,
    group,
  } = world.profile;
  const head = [
    `Seed ${seed} with ${changes} changes: "${violation.invariant}" is broken.`,
    violation.message,
    `The world: weather ${intensity}, tie rule ${tieRule}, ${tombstones.keepEventTime ? 'tombstones keep their time' : 'tombstones keep no time'}, ${tombstones.ofAbsent ? 'one' : 'none'} of what is absent, keys ${keys}, ${numbersBeginAnew ? 'numbers of children begin anywhere' : 'numbers rise'}, hazard window ${hazardSeconds} s, batches of ${batchSize}, retries ${retriesMax}, bisect ${bisect}, event time from ${group.eventTime.attribute ?? 'the stream'}, on delete ${group.onDelete}, on expiry ${group.onTtlExpiry}.`,
    ...(cut ? [cut.words] : []),
    ...(id === undefined ? [] : [`The story of ${id}:`]),
  ];
  const room = LINES_MAX - head.length;
  const told = lines.length <= room ? lines : [`… ${lines.length - room + 1} lines before`, ...lines.slice(1 - room)];
  return [...head, ...told].map((line) => line.replaceAll(/x{9,}/g, 'x…'));
}

function listen(world: World, id: string, say: (text: string) => void): void {
  const concerns = (caller: Caller) => batches.get(caller)?.some((it) => it.recordIdentifier === id) ?? false;
  const { onChange } = world.table;
  world.table.onChange = (change) => {
    onChange(change);
    if (change.recordIdentifier === id) {
      const wrong = change.quality === 'good' ? '' : `, ${change.quality}`;
      say(`the table: ${nameOf(change)} in second ${secondOf(change)}${wrong}, shard ${change.shardId}`);
    }
  };
  world.onBatch = (records, what) => {
    const own = records.filter((it) => it.recordIdentifier === id);
    if (own.length === 0 && !what.startsWith('redrive')) return;
    say(`${what} ${records.length} records, of these ${own.map((it) => it.sequenceNumber).join(' ')}`);
  };
  world.lambda.onEvent = (invocation, what) => {
    if (concerns(invocation)) say(`${invocation.name} ${what}`);
  };
  world.network.listener = (service, command, caller, outcome, answer) => {
    const words = callInWords(command, id, answer);
    if (words !== undefined) say(`${caller.name} ${words}: ${outcome}`);
    else if (outcome.includes('crash') && concerns(caller)) say(`${caller.name}: ${outcome} of ${service}`);
  };
}

/** A call in words, if it is about the record. */
function callInWords(command: Command, id: string, answer: unknown): string | undefined {
  const input = command.input as Record<string, never> & {
    Item?: Record<string, AttributeValue>;
    Entries?: { Record: { FeatureName: string; ValueAsString: string }[] }[];
    Records?: { Data: Uint8Array }[];
  };
  switch (command.constructor.name) {
    case 'BatchGetItemCommand': {
      if (!JSON.stringify(input).includes(JSON.stringify(`fence#${id}`))) return undefined;
      const found = Object.values(
        (answer as { Responses?: Record<string, Record<string, AttributeValue>[]> })?.Responses ?? {},
      )
        .flat()
        .find((it) => it.pk?.S === `fence#${id}`);
      return `looks for the fence, finds ${found ? fenceInWords(found) : 'none'}`;
    }
    case 'PutItemCommand': {
      const { Item = {} } = input;
      if (Item.pk?.S === `fence#${id}`) return `leaves the fence ${fenceInWords(Item)}`;
      if (Item.pk?.S === `label#${id}`)
        return `counts label ${Item.label?.S} of ${unpad(Item.sequenceNumber)} in epoch ${Item.epoch?.N}`;
      return undefined;
    }
    case 'BatchWriteRecordCommand': {
      const record = input.Entries?.map((it) => it.Record).find((it) =>
        it.some((feature) => feature.ValueAsString === id),
      );
      if (!record) return undefined;
      const value = (name: string) => record.find((it) => it.FeatureName === name)?.ValueAsString;
      return `puts version ${value('version')} with event time ${value('event_time')}`;
    }
    case 'DeleteRecordCommand':
      return input.RecordIdentifierValueAsString === id ? `deletes with event time ${input.EventTime}` : undefined;
    case 'PutRecordBatchCommand': {
      const rows = (input.Records ?? []).flatMap(({ Data }) =>
        Buffer.from(Data).toString().trimEnd().split('\n').map(parseRow),
      );
      const own = rows.filter((it) => it.recordIdentifier === id);
      if (own.length === 0) return undefined;
      return `logs ${own.map((it) => `${it.sequenceNumber} with event time ${it.eventTime}`).join(', ')}`;
    }
    case 'GetItemCommand':
      return JSON.stringify(input).includes(JSON.stringify({ S: id }))
        ? `reads the item: ${JSON.stringify((answer as { Item?: object })?.Item ?? 'none')}`
        : undefined;
    case 'PutObjectCommand':
      return String(input.Body).includes(JSON.stringify({ S: id })) ? `writes ${input.Key}` : undefined;
    case 'DeleteObjectCommand':
      return `deletes ${input.Key}`;
    default:
      return undefined;
  }
}

function fenceInWords(item: Record<string, AttributeValue>): string {
  const one = (sequence: AttributeValue | undefined, ms: AttributeValue | undefined) =>
    `${unpad(sequence)} at ${new Date(Number(ms?.N)).toISOString()}`;
  const before = item.beforeSequenceNumber && ` (before it ${one(item.beforeSequenceNumber, item.beforeEventTimeMs)})`;
  return `${one(item.sequenceNumber, item.eventTimeMs)}${before ?? ''}`;
}

function unpad(value: AttributeValue | undefined): string {
  return (value?.S ?? '').replace(/^0+(?=\d)/, '');
}

function secondOf({ second }: TrueChange): string {
  return new Date(second * 1_000).toISOString().slice(11, 19);
}
