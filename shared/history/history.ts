import { createHash } from 'node:crypto';
import type { Decoder } from '../changes/decode.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { csvStatements } from './csv.ts';
import { dataPipelineLineReader } from './data-pipeline-lines.ts';
import { fullLineReader, incrementalLineReader } from './export-lines.ts';
import { contentOf, linesOf } from './lines.ts';
import type { Place } from './places.ts';
import { type LineReader, type Statement, type StatementFile, statementReader } from './statements.ts';

/** How the statements of a file are written. */
export type HistoryForm = 'full' | 'incremental' | 'data-pipeline' | 'csv';

/** A file of history, and what is known of it before it is read. */
export interface HistoryFile extends StatementFile {
  readonly form: HistoryForm;
  readonly key: string;
  /** MD5 of the bytes as they lie there, in base64, and how many items they hold; unknown of files without a manifest. */
  readonly md5?: string | undefined;
  readonly items?: number | undefined;
}

/**
 * The statements of a file, in blocks, in its order: a file is read as it comes, so memory does not grow with it.
 *
 * @param after the last line that nobody asks for any more: lines up to it are counted, and most are not decoded.
 * @throws Error with one sentence when the file is not there, cut short or damaged, or holds more or fewer items than its
 *   manifest says. What was yielded before is right all the same.
 */
export async function* readStatements(
  file: HistoryFile,
  place: Place,
  group: FeatureGroup,
  decode: Decoder,
  after = 0,
): AsyncGenerator<Statement[], void> {
  let items = 0;
  try {
    for await (const { passed, statements } of blocksOf(
      file,
      contentOf(await openedOf(file, place)),
      group,
      decode,
      after,
    )) {
      items += passed + statements.length;
      yield statements;
    }
  } catch (cause) {
    const { message } = cause as Error;
    throw message.startsWith(file.name) ? cause : new Error(`${file.name} cannot be read: ${message}.`, { cause });
  }
  if (file.items !== undefined && items !== file.items) {
    throw new Error(`${file.name} holds ${items} items; its manifest says ${file.items}.`);
  }
}

/** A block of a file: statements, and how many lines before them were passed over. */
interface Block {
  readonly passed: number;
  readonly statements: Statement[];
}

async function* blocksOf(
  file: HistoryFile,
  content: AsyncIterable<Uint8Array>,
  group: FeatureGroup,
  decode: Decoder,
  after: number,
): AsyncGenerator<Block, void> {
  if (file.form === 'csv') {
    for await (const statements of csvStatements(file, content, group, decode)) yield { passed: 0, statements };
    return;
  }
  const read = statementReader(file, lineReaderOf(file.form, group), decode);
  for await (const { first, lines } of linesOf(content)) {
    const statements: Statement[] = [];
    let passed = 0;
    for (let index = 0; index < lines.length; index += 1) {
      if (lines[index] === '') continue;
      if (first + index <= after) passed += 1;
      else statements.push(read(lines[index], first + index));
    }
    yield { passed, statements };
  }
}

function lineReaderOf(form: Exclude<HistoryForm, 'csv'>, group: FeatureGroup): LineReader {
  if (form === 'full') return fullLineReader(group);
  return form === 'incremental' ? incrementalLineReader : dataPipelineLineReader(group);
}

/**
 * Checks a file against the checksum in its manifest, if it has one.
 *
 * @throws Error with one sentence when it is not there, or another than the manifest says.
 */
export async function verifyFile(file: HistoryFile, place: Place): Promise<void> {
  if (file.md5 === undefined) return;
  const hash = createHash('md5');
  for await (const chunk of await openedOf(file, place)) hash.update(chunk);
  if (hash.digest('base64') === file.md5) return;
  throw new Error(`${file.name} is not what its manifest says (MD5): it was changed or cut short; copy it again.`);
}

async function openedOf(file: HistoryFile, place: Place): Promise<AsyncIterable<Uint8Array>> {
  const bytes = await place.open(file.key);
  if (bytes === undefined) throw new Error(`${file.name} is not there.`);
  return bytes;
}
