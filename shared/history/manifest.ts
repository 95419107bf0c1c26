import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import * as z from 'zod';
import { type Place, readWhole } from './places.ts';

/**
 * The manifests of DynamoDB's exports to S3: `manifest-summary.json` says what was exported and as of when,
 * `manifest-files.json` has a line of JSON for each data file. The MD5 of either lies beside it, in base64: in `.md5`, as
 * the service writes it, or `.checksum`, as its documentation says.
 *
 * Keys in manifests begin at the root of the bucket that was exported to, and people move exports. So a key that leads
 * nowhere is looked for by its last part near the summary. Incremental exports share one folder for their data, where
 * only the manifest tells whose a file is.
 */

const SUMMARY = 'manifest-summary.json';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const summarySchema = z.object({
  exportArn: z.string(),
  tableArn: z.string(),
  tableId: z.string(),
  manifestFilesS3Key: z.string(),
  itemCount: z.int(),
  billedSizeBytes: z.int().default(0),
  outputFormat: z.string(),
  /** Absent in older full exports. */
  exportType: z.enum(['FULL_EXPORT', 'INCREMENTAL_EXPORT']).default('FULL_EXPORT'),
  outputView: z.string().default('NEW_IMAGE'),
  exportTime: time.nullish(),
  exportFromTime: time.nullish(),
  exportToTime: time.nullish(),
});

const fileSchema = z.object({ itemCount: z.int(), md5Checksum: z.string(), dataFileS3Key: z.string() });

/** A data file of an export. */
export interface ExportFile {
  readonly key: string;
  readonly items: number;
  /** MD5 of the file as it lies there, compressed, in base64. */
  readonly md5: string;
}

/** An export, as its manifests describe it. */
export interface TableExport {
  /** Its name, such as `01715685260608-c488b4e1`. */
  readonly id: string;
  /** Its summary, as messages name it. */
  readonly name: string;
  readonly table: string;
  /** Tells a table from another of the same name, before or after it. */
  readonly tableId: string;
  readonly kind: 'full' | 'incremental';
  /** Beginning of an incremental export's window, which is part of it, in epoch milliseconds. */
  readonly fromMs: number | undefined;
  /** As of when it states how items were, in epoch milliseconds. */
  readonly asOfMs: number;
  /** Of an incremental export, whether lines also say how items were before. */
  readonly oldImages: boolean;
  readonly items: number;
  readonly billedBytes: number;
  /** In the order of the manifest, where they lie now. */
  readonly files: readonly ExportFile[];
  /** Manifests without a checksum beside them. */
  readonly unverified: readonly string[];
}

/**
 * Reads an export's manifests and checks them: checksums, format, counts.
 *
 * @param key its folder, or its `manifest-summary.json`.
 * @throws Error with one sentence that says what is wrong with which file.
 */
export async function readExport(place: Place, key: string): Promise<TableExport> {
  const summaryKey = key.endsWith('.json') ? key : posix.join(key, SUMMARY);
  const folder = posix.dirname(summaryKey);
  const unverified: string[] = [];
  const summaryBytes = await readManifest(place, summaryKey, unverified);
  if (summaryBytes === undefined) {
    throw new Error(
      `${place.nameOf(summaryKey)} is not there: name the folder of an export, which holds ${SUMMARY}; it is written when the export is complete.`,
    );
  }
  const { described, filesKey } = parseSummary(place.nameOf(summaryKey), summaryBytes);
  const candidates = [filesKey, posix.join(folder, posix.basename(filesKey))];
  for (const candidate of candidates) {
    const bytes = await readManifest(place, candidate, unverified);
    if (bytes === undefined) continue;
    const files = parseFiles(place.nameOf(candidate), bytes, described.items);
    return { ...described, files: await located(place, folder, files), unverified };
  }
  throw new Error(
    `${candidates.map((it) => place.nameOf(it)).join(' and ')} are not there: the export is not complete.`,
  );
}

/** @returns undefined when there is no such manifest. @throws Error when it is not what its checksum says. */
async function readManifest(place: Place, key: string, unverified: string[]): Promise<Buffer | undefined> {
  const bytes = await readWhole(place, key);
  if (bytes === undefined) return undefined;
  const base = key.slice(0, -posix.extname(key).length);
  for (const checksumKey of [`${base}.md5`, `${base}.checksum`]) {
    const checksum = (await readWhole(place, checksumKey))?.toString('latin1').trim();
    if (checksum === undefined) continue;
    if (checksum === createHash('md5').update(bytes).digest('base64')) return bytes;
    throw new Error(
      `${place.nameOf(key)} is not what ${place.nameOf(checksumKey)} says: it was changed or damaged; copy the export again.`,
    );
  }
  unverified.push(place.nameOf(key));
  return bytes;
}

function parseSummary(name: string, bytes: Buffer) {
  const parsed = summarySchema.safeParse(parseJson(bytes.toString('utf8')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${name} is no summary of an export: ${issue?.path.join('.') || 'it'}: ${issue?.message}.`);
  }
  const summary = parsed.data;
  if (summary.outputFormat !== 'DYNAMODB_JSON') {
    throw new Error(
      `${name} says that the export is in ${summary.outputFormat}, which is not read: export with --export-format DYNAMODB_JSON.`,
    );
  }
  const kind = summary.exportType === 'INCREMENTAL_EXPORT' ? 'incremental' : 'full';
  const asOfMs = kind === 'full' ? summary.exportTime : summary.exportToTime;
  if (asOfMs == null || (kind === 'incremental' && summary.exportFromTime == null)) {
    const expected = kind === 'full' ? 'exportTime' : 'exportFromTime and exportToTime';
    throw new Error(`${name} is no summary of an export: ${expected} expected of one that is ${kind}.`);
  }
  const described: Omit<TableExport, 'files' | 'unverified'> = {
    id: summary.exportArn.split('/').at(-1) ?? '',
    name,
    table: /:table\/([^/]+)/.exec(summary.tableArn)?.[1] ?? summary.tableArn,
    tableId: summary.tableId,
    kind,
    fromMs: kind === 'full' ? undefined : (summary.exportFromTime ?? undefined),
    asOfMs,
    oldImages: summary.outputView === 'NEW_AND_OLD_IMAGES',
    items: summary.itemCount,
    billedBytes: summary.billedSizeBytes,
  };
  return { described, filesKey: summary.manifestFilesS3Key };
}

function parseFiles(name: string, bytes: Buffer, items: number): ExportFile[] {
  const lines = bytes.toString('utf8').split('\n');
  const files = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = fileSchema.safeParse(parseJson(line));
    if (!parsed.success)
      throw new Error(`${name} line ${index + 1} describes no data file: it was changed or damaged.`);
    const { itemCount, md5Checksum, dataFileS3Key } = parsed.data;
    return { key: dataFileS3Key, items: itemCount, md5: md5Checksum };
  });
  const sum = files.reduce((total, file) => total + file.items, 0);
  if (sum !== items) {
    throw new Error(
      `${name} names files of ${sum} items; the summary has ${items}: a manifest was changed or damaged.`,
    );
  }
  return files;
}

/** Finds where the files are now. All of an export lie in one folder, so the first tells where the others are. */
async function located(place: Place, folder: string, files: readonly ExportFile[]): Promise<ExportFile[]> {
  const [first] = files;
  if (!first) return [];
  const places = ['', posix.join(folder, 'data'), posix.join(folder, '..', 'data'), folder];
  const keyIn = (where: string, key: string) => (where === '' ? key : posix.join(where, posix.basename(key)));
  for (const where of places) {
    const bytes = await place.open(keyIn(where, first.key));
    if (bytes === undefined) continue;
    await bytes[Symbol.asyncIterator]().return?.();
    return files.map((file) => ({ ...file, key: keyIn(where, file.key) }));
  }
  throw new Error(
    `${place.nameOf(first.key)} is not there, nor is it near the manifests: copy the export's data files along with them.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
