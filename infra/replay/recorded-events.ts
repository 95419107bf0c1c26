import { readFile } from 'node:fs/promises';

/** What a file of the replay may hold, for the sentence that says it does not. */
const EXPECTED = 'a Lambda event of DynamoDB Streams ({"Records": [...]}), one stream record, or an array of either';

/** A recorded invocation: the stream records of one file, in their order. */
export interface RecordedEvent {
  readonly file: string;
  readonly records: readonly unknown[];
}

/**
 * Reads a recorded event.
 *
 * @throws Error with one sentence when the file cannot be read, is not JSON, or holds something else.
 */
export async function readRecordedEvent(file: string): Promise<RecordedEvent> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new Error(`${file} cannot be read: ${why}; give the paths of recorded events.`, { cause });
  });
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new Error(`${file} is not JSON (${(cause as Error).message}); expected ${EXPECTED}.`, { cause });
  }
  return { file, records: recordsOf(file, content) };
}

/**
 * The stream records in what a file holds. A record may lack fields (ingest tells which); it may not be of another
 * service.
 *
 * @throws Error naming the file when it holds something else.
 */
export function recordsOf(file: string, content: unknown): unknown[] {
  if (Array.isArray(content)) return content.flatMap((part) => recordsOf(file, part));
  if (isObject(content) && Array.isArray(content.Records)) {
    for (const record of content.Records) checkRecord(file, record);
    return content.Records;
  }
  checkRecord(file, content);
  return [content];
}

function checkRecord(file: string, record: unknown): void {
  if (!isObject(record)) throw new Error(`${file}: found ${JSON.stringify(record)}, expected ${EXPECTED}.`);
  const { eventSource, dynamodb } = record;
  if (eventSource !== undefined && eventSource !== 'aws:dynamodb') {
    throw new Error(`${file}: found a record of ${JSON.stringify(eventSource)}, expected ${EXPECTED}.`);
  }
  if (eventSource === undefined && !isObject(dynamodb)) {
    throw new Error(`${file}: found an object without "Records" and without "dynamodb", expected ${EXPECTED}.`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
