import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRecordedEvent } from '../../../infra/replay/recorded-events.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorded-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: unknown) {
  const file = join(folder, 'event.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return (await readRecordedEvent(file)).records;
}

const first = { eventName: 'INSERT', dynamodb: { Keys: { id: { S: 'a' } } } };
const second = { eventName: 'REMOVE', eventSource: 'aws:dynamodb' };

describe('a recorded event', () => {
  test.each([
    ['an event', { Records: [first, second] }, [first, second]],
    ['an event with nothing in it', { Records: [] }, []],
    ['a single record', first, [first]],
    ['an array of records and events', [second, { Records: [first] }], [second, first]],
    ['a file with a byte order mark', `\uFEFF${JSON.stringify(first)}`, [first]],
  ])('%s is read in order', async (_, content, records) => {
    expect(await read(content)).toEqual(records);
  });

  test.each([
    ['not JSON', '{"Records": [', /event\.json is not JSON \(.*\); expected a Lambda event of DynamoDB Streams/],
    ['another service', { Records: [{ eventSource: 'aws:s3', s3: {} }] }, /found a record of "aws:s3", expected/],
    ['an object of something else', { hello: 'world' }, /found an object without "Records"/],
    ['no object', '42', /found 42, expected/],
    ['a record that is none', { Records: [null] }, /found null, expected/],
  ])('%s is refused in one sentence', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  test('a missing file is named', async () => {
    await expect(readRecordedEvent('/nowhere/e.json')).rejects.toThrow(
      '/nowhere/e.json cannot be read: there is no such file; give the paths of recorded events.',
    );
  });
});
