import type { Rejection, Skipped, TimedChange } from '../changes/change.ts';
import { type Decoder, isRejection, isSkipped } from '../changes/decode.ts';

/**
 * Statements: how an item was as of a moment, or that it was not there. Each stands on a line of a file, and becomes a
 * change or a rejection by the decoder of stream records, so that history has the same rules as the stream.
 */

/** A file of statements. */
export interface StatementFile {
  /** As messages name it. */
  readonly name: string;
  /** Number of its export among all that were ever read into the feature group, from 0. */
  readonly exportNumber: number;
  /** Its number in the export, in the order of the manifest, from 0. */
  readonly fileNumber: number;
  /** Event time of its statements, in epoch milliseconds. */
  readonly eventTimeMs: number;
}

/** A statement, and the line it stands on, from 1. */
export interface Statement {
  readonly line: number;
  /** The item's key attributes, if the line says any. */
  readonly keys: object | undefined;
  readonly decoded: TimedChange | Rejection | Skipped;
}

/** What a line says of an item, named as in a stream record. */
export interface Said {
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly Keys: object | undefined;
  readonly NewImage?: object | undefined;
  readonly OldImage?: object | undefined;
}

/** Reads a line, or a row of cells; answers a sentence without values when it says nothing of an item. */
export type LineReader<Line = string> = (line: Line) => Said | string;

/** Digits of a sequence number's parts. All of them are fewer than those of the stream's numbers, which have 21 at least. */
const DIGITS = { export: 3, file: 6, line: 9 };

/** Most exports of a feature group, files of an export, and lines of a file: what sequence numbers have room for. */
export const EXPORTS_MAX = 10 ** DIGITS.export;
export const FILES_MAX = 10 ** DIGITS.file;
export const LINES_MAX = 10 ** DIGITS.line - 1;

/** All of a sequence number but the line. @throws RangeError when there is no room for a number. */
function numbersOf({ name, exportNumber, fileNumber }: StatementFile): string {
  if (exportNumber >= EXPORTS_MAX || fileNumber >= FILES_MAX) {
    throw new RangeError(
      `${name} is file ${fileNumber} of export ${exportNumber}: there are numbers for ${FILES_MAX} files of ${EXPORTS_MAX} exports.`,
    );
  }
  return `1${String(exportNumber).padStart(DIGITS.export, '0')}${String(fileNumber).padStart(DIGITS.file, '0')}`;
}

/** Reads what stands on a line; undefined is a line that is not UTF-8. */
export type StatementReader<Line = string> = (content: Line | undefined, line: number) => Statement;

/**
 * Makes the reader of a file's statements. The same line of the same file is the same statement again, byte for byte.
 *
 * @throws RangeError when there are more files or exports than sequence numbers have room for.
 */
export function statementReader<Line = string>(
  file: StatementFile,
  readLine: LineReader<Line>,
  decode: Decoder,
): StatementReader<Line> {
  const prefix = numbersOf(file);
  const { name, eventTimeMs } = file;
  const second = Math.floor(eventTimeMs / 1_000);

  const reject = (line: number, SequenceNumber: string, content: Line | undefined, message: string): Statement => {
    const record = { dynamodb: { SequenceNumber }, ...(content !== undefined && { line: content }) };
    const rejection = {
      reason: 'malformed-record' as const,
      path: 'line',
      message: `${message} (${name}, line ${line})`,
    };
    return { line, keys: undefined, decoded: { sequenceNumber: SequenceNumber, ...rejection, record } };
  };

  return (content, line) => {
    if (line > LINES_MAX) throw new RangeError(`${name} has more than ${LINES_MAX} lines`);
    const SequenceNumber = prefix + String(line).padStart(DIGITS.line, '0');
    if (content === undefined) return reject(line, SequenceNumber, content, 'Expected UTF-8.');
    const said = readLine(content);
    if (typeof said === 'string') return reject(line, SequenceNumber, content, said);
    const { eventName, Keys, NewImage, OldImage } = said;
    const dynamodb = { ApproximateCreationDateTime: second, Keys, NewImage, OldImage, SequenceNumber };
    const decoded = decode({ eventName, dynamodb });
    if (isRejection(decoded)) {
      return { line, keys: Keys, decoded: { ...decoded, message: `${decoded.message} (${name}, line ${line})` } };
    }
    if (isSkipped(decoded)) return { line, keys: Keys, decoded };
    const { recordIdentifier, values, newLabel, wrongLabel } = decoded;
    return {
      line,
      keys: Keys,
      decoded: {
        eventName: decoded.eventName === 'REMOVE' ? 'REMOVE' : 'SNAPSHOT',
        sequenceNumber: SequenceNumber,
        recordIdentifier,
        second,
        ttlExpired: false,
        values,
        newLabel,
        eventTimeMs,
        ...(wrongLabel && {
          wrongLabel: { ...wrongLabel, message: `${wrongLabel.message} (${name}, line ${line})` },
        }),
      },
    };
  };
}
