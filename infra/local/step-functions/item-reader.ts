import type { Call } from '../protocol/service.ts';
import type { MapParameters, MapState } from './map-definition.ts';
import { TaskError, taskErrorOf } from './task-error.ts';

const S3 = { errorPrefix: 'S3', baseError: 'AmazonS3Exception', kind: 'optimized' } as const;

/**
 * The items of a Distributed Map, which are in an object of S3.
 *
 * @throws TaskError States.ItemReaderFailed when the object cannot be read, or is not of its type.
 */
export async function readItems(
  { InputType, MaxItems }: MapState['ItemReader']['ReaderConfig'],
  object: MapParameters['object'],
  call: Call,
): Promise<unknown[]> {
  const { Body } = (await call('s3', 'GetObject', object).catch((error) => {
    throw failed(taskErrorOf(S3, error).message);
  })) as { Body: Buffer };
  const text = Body.toString('utf8');
  return (InputType === 'JSONL' ? linesOf(text) : arrayOf(text)).slice(0, MaxItems);
}

function linesOf(text: string): unknown[] {
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parsed(line, `line ${index + 1}`)]));
}

function arrayOf(text: string): unknown[] {
  const items = parsed(text, 'the object');
  if (!Array.isArray(items)) throw failed('Attempting to map over non-iterable node.');
  return items;
}

function parsed(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw failed(`Unable to parse ${place} as JSON: ${(error as Error).message}`);
  }
}

function failed(cause: string): TaskError {
  return new TaskError('States.ItemReaderFailed', cause);
}
