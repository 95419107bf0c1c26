import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Exports as DynamoDB writes them to S3, in a folder that takes the place of the bucket. */

export const TABLE_ID = '11991185-e7ab-4da5-8bab-03f0db0b7bfd';

export interface ExportOptions {
  readonly table?: string;
  readonly tableId?: string;
  readonly id?: string;
  readonly prefix?: string;
  /** As of when, and for an incremental export since when, as ISO texts. */
  readonly asOf?: string;
  readonly from?: string;
  /** Lines of each data file. */
  readonly files: readonly (readonly string[])[];
  /** What the summary says otherwise; undefined leaves a member out. */
  readonly summary?: Readonly<Record<string, unknown>>;
  /** Whether data files are compressed, as DynamoDB's are. Default: yes. */
  readonly compressed?: boolean;
  /** Suffix of the files with the manifests' checksums; none leaves them out. */
  readonly checksums?: 'md5' | 'checksum' | 'none';
}

const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('base64');

/** An item on a line of a full export. */
export const itemLine = (item: object) => JSON.stringify({ Item: item });

/** Writes an export into a folder. @returns the key of the export's folder. */
export async function writeExport(root: string, options: ExportOptions): Promise<string> {
  const { folder, objects } = exportObjects(options);
  for (const [key, content] of objects) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), content);
  }
  return folder;
}

/** The objects of an export by their keys, and the key of its folder. */
export function exportObjects(options: ExportOptions): { folder: string; objects: Map<string, Uint8Array> } {
  const { table = 'accounts', tableId = TABLE_ID, id = '01715685260608-c488b4e1', checksums = 'md5' } = options;
  const { prefix = 'prefix', asOf = '2026-10-01T12:00:00.608Z', from, files } = options;
  const base = [prefix, 'AWSDynamoDB'].filter(Boolean).join('/');
  const folder = `${base}/${id}`;
  const dataFolder = from === undefined ? `${folder}/data` : `${base}/data`;
  const objects = new Map<string, Uint8Array>();
  const put = (key: string, content: Uint8Array | string) => objects.set(key, Buffer.from(content));
  const manifest: string[] = [];
  for (const [index, lines] of files.entries()) {
    const content = lines.map((line) => `${line}\n`).join('');
    const bytes = options.compressed === false ? Buffer.from(content) : gzipSync(content);
    const dataFileS3Key = `${dataFolder}/${createHash('md5').update(`${id}/${index}`).digest('hex').slice(0, 26)}.json.gz`;
    put(dataFileS3Key, bytes);
    const etag = `${createHash('md5').update(bytes).digest('hex')}-1`;
    manifest.push(JSON.stringify({ itemCount: lines.length, md5Checksum: md5(bytes), etag, dataFileS3Key }));
  }
  const tableArn = `arn:aws:dynamodb:eu-central-1:000000000000:table/${table}`;
  const window =
    from === undefined
      ? { version: '2020-06-30', exportTime: asOf }
      : { version: '2023-08-01', exportFromTime: from, exportToTime: asOf };
  const summary = {
    ...window,
    exportArn: `${tableArn}/export/${id}`,
    startTime: asOf,
    endTime: asOf,
    tableArn,
    tableId,
    s3Bucket: 'bucket',
    s3Prefix: prefix,
    s3SseAlgorithm: 'AES256',
    s3SseKmsKeyId: null,
    manifestFilesS3Key: `${folder}/manifest-files.json`,
    billedSizeBytes: 19,
    itemCount: files.reduce((sum, lines) => sum + lines.length, 0),
    outputFormat: 'DYNAMODB_JSON',
    ...(from !== undefined && { outputView: 'NEW_AND_OLD_IMAGES', exportType: 'INCREMENTAL_EXPORT' }),
    ...options.summary,
  };
  const manifests = { 'manifest-summary': JSON.stringify(summary), 'manifest-files': `${manifest.join('\n')}\n` };
  for (const [name, text] of Object.entries(manifests)) {
    put(`${folder}/${name}.json`, text);
    if (checksums !== 'none') put(`${folder}/${name}.${checksums}`, md5(text));
  }
  put(`${folder}/_started`, '');
  return { folder, objects };
}
