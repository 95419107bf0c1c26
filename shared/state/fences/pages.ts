import { hash } from 'node:crypto';
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { untilDeadline } from '../../calls/pace.ts';
import { type Fence, type FenceOf, fenceOfPlaces, type Place, placeOf } from '../../changes/event-order.ts';
import { fencesOfSecondKey, fencesPageKey, secondOfFencesKey } from '../keys.ts';
import { readItems, type StateTable } from '../table.ts';
import { type Fences, fenceFailure, type Sought } from './fences.ts';

/**
 * Fences in pages: what one batch leaves in one second of event time are a few items, however many records it has.
 *
 * A page is named by its content, so writing it again changes nothing. A second's item is the set of what was written
 * for it, which `ADD` only ever makes larger, in whatever order. So no write needs a condition, and no late one takes
 * anything back: what one batch has left is found by every batch after it.
 *
 * Each writer has pages of its own. An item that several shards added their fences to would be paid for, whole, by each.
 */

/** State table calls in flight at once. */
const CONCURRENCY_MAX = 32;
/** Bytes of a page: what one unit of a consistent read covers. The most that an item may have are 400 KB. */
const PAGE_BYTES_MAX = 4_000;
/** Characters of a record's name in a page: 72 bits. Two of one name would only be dated as if they were one record. */
const NAME_LENGTH = 12;
/** Fences are needed as long as a batch may be delivered again: the stream's 24 hours, and one to spare. */
const LIFETIME_SECONDS = 25 * 3_600;

/** A record's name in a page: the same for every writer, and no personal data. */
const nameOf = (recordIdentifier: string): string =>
  hash('sha256', recordIdentifier, 'base64url').slice(0, NAME_LENGTH);

/** Fences of a group whose event times come from the stream's clock. */
export function fencePages(table: StateTable): Fences {
  return {
    async read(sought, pace) {
      const wanted = new Map<string, string>();
      for (const { recordIdentifier } of sought) wanted.set(nameOf(recordIdentifier), recordIdentifier);
      const places = new Map<string, Place[]>();
      const note = (second: number, line: string) => {
        const recordIdentifier = wanted.get(line.slice(0, NAME_LENGTH));
        if (recordIdentifier === undefined) return;
        const known = places.get(recordIdentifier);
        if (known) known.push(placeIn(line, second));
        else places.set(recordIdentifier, [placeIn(line, second)]);
      };
      const pages: string[] = [];
      await readItems(table, secondsOf(sought).map(fencesOfSecondKey), pace, ({ pk, pages: entries }) => {
        const second = secondOfFencesKey(pk?.S ?? '');
        for (const entry of entries?.SS ?? []) {
          if (isLine(entry)) note(second, entry);
          else pages.push(...pagesOf(second, entry));
        }
      });
      await readItems(table, pages, pace, ({ pk, fences }) => {
        const second = secondOfFencesKey(pk?.S ?? '');
        for (const line of fences?.S?.split('\n') ?? []) note(second, line);
      });
      return new Map([...places].map(([id, all]): [string, Fence] => [id, fenceOfPlaces(all)]));
    },

    async write(fences, _found, pace) {
      const bySecond = Map.groupBy(fences, ({ change }) => Math.floor(change.eventTimeMs / 1_000));
      const expiresAt = { N: String(Math.floor(pace.now() / 1_000) + LIFETIME_SECONDS) };
      const writes = [...bySecond].flatMap(([second, all]) => writesOf(table.name, second, all, expiresAt));
      const left = await untilDeadline(writes, { pace, concurrencyMax: CONCURRENCY_MAX }, async ({ command }) => {
        await table.dynamodb.send(command as PutItemCommand, { abortSignal: pace.signal });
        return undefined;
      });
      return left.flatMap(({ item, message }) => item.fences.map((it) => fenceFailure(it, message)));
    },
  };
}

/** One write, and the fences that are not left without it. */
interface Write {
  readonly command: PutItemCommand | UpdateItemCommand;
  readonly fences: readonly FenceOf[];
}

/** The pages of a second, and their entry in the second's set: what they are named, and how many they are. */
function writesOf(
  TableName: string,
  second: number,
  fences: readonly FenceOf[],
  expiresAt: { readonly N: string },
): Write[] {
  const pages: { lines: string[]; fences: FenceOf[]; bytes: number }[] = [];
  for (const fence of fences) {
    const line = lineOf(placeOf(fence.change), fence.change.recordIdentifier, second);
    let page = pages.at(-1);
    if (!page || page.bytes + line.length + 1 > PAGE_BYTES_MAX) {
      page = { lines: [], fences: [], bytes: 0 };
      pages.push(page);
    }
    page.lines.push(line);
    page.fences.push(fence);
    page.bytes += line.length + 1;
  }
  const [first] = pages;
  // A page for one fence would cost more than the fence.
  if (fences.length === 1 && first) return [addTo(TableName, second, first.lines[0] as string, fences, expiresAt)];
  const texts = pages.map(({ lines }) => lines.join('\n'));
  const name = hash('sha256', texts.join('\n'), 'base64url').slice(0, NAME_LENGTH);
  const entry = `${name}/${pages.length}`;
  const puts = texts.map((text, index): Write => {
    const Item = { pk: { S: fencesPageKey(second, name, index) }, fences: { S: text }, expiresAt };
    return { command: new PutItemCommand({ TableName, Item }), fences: pages[index]?.fences ?? [] };
  });
  return [...puts, addTo(TableName, second, entry, fences, expiresAt)];
}

function addTo(
  TableName: string,
  second: number,
  entry: string,
  fences: readonly FenceOf[],
  expiresAt: { readonly N: string },
): Write {
  const command = new UpdateItemCommand({
    TableName,
    Key: { pk: { S: fencesOfSecondKey(second) } },
    UpdateExpression: 'SET expiresAt = :expiresAt ADD pages :pages',
    ExpressionAttributeValues: { ':expiresAt': expiresAt, ':pages': { SS: [entry] } },
  });
  return { command, fences };
}

/** Whether an entry of a second's set is a fence itself, and not the name of pages. */
const isLine = (entry: string): boolean => entry.includes(' ');

/** Keys of the pages that an entry of a second's set speaks of. */
function pagesOf(second: number, entry: string): string[] {
  const [name = '', count] = entry.split('/');
  return Array.from({ length: Number(count) }, (_, index) => fencesPageKey(second, name, index));
}

/** Seconds whose fences are sought. Their number does not depend on that of the records. */
function secondsOf(sought: readonly Sought[]): number[] {
  const ranges = new Map<number, number>();
  for (const { from, to } of sought) {
    const first = Math.floor(from);
    ranges.set(first, Math.max(to, ranges.get(first) ?? to));
  }
  const seconds = new Set<number>();
  for (const [from, to] of ranges) for (let second = from; second <= to; second += 1) seconds.add(second);
  return [...seconds];
}

/**
 * A line of a page: name, sequence number, milliseconds in the page's second, and by how many seconds the record's clock
 * is ahead of the stream's.
 */
function lineOf({ sequenceNumber, eventTimeMs, streamSecond = 0 }: Place, id: string, second: number): string {
  return `${nameOf(id)} ${sequenceNumber} ${eventTimeMs - second * 1_000} ${second - streamSecond}`;
}

function placeIn(line: string, second: number): Place {
  const [, sequenceNumber = '', ms, ahead] = line.split(' ');
  return { sequenceNumber, eventTimeMs: second * 1_000 + Number(ms), streamSecond: second - Number(ahead) };
}
