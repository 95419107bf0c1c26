import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { TableSnapshot } from './snapshot.ts';

/** Data files of an export: DynamoDB writes one for each partition at least, and some are empty. */
const FILES = 4;

const NAME_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const NAME_LENGTH = 26;

/** What an export is, apart from its items. */
export interface ExportOf {
  readonly arn: string;
  readonly tableArn: string;
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly sseAlgorithm: string;
  readonly sseKmsKeyId: string | undefined;
  /** In epoch milliseconds. */
  readonly exportTimeMs: number;
  readonly startTimeMs: number;
}

const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('base64');

/** Folder of an export in its bucket. Source: S3DataExport.Output, as the service writes it. */
export const folderOf = ({ arn, prefix }: Pick<ExportOf, 'arn' | 'prefix'>): string =>
  `${prefix ? `${prefix}/` : ''}AWSDynamoDB/${arn.slice(arn.lastIndexOf('/') + 1)}`;

/** Key of the manifest that says what was exported. */
export const manifestKey = (of: Pick<ExportOf, 'arn' | 'prefix'>): string => `${folderOf(of)}/manifest-summary.json`;

/**
 * The objects of a full export, the summary last, as it says that the others are there. MD5 of either manifest lies
 * beside it in `.md5`: so does the service, whatever its page says. Source: recorded exports of AWS.
 */
export function* objectsOf(of: ExportOf, { tableId, items, bytes }: TableSnapshot): Generator<[string, Uint8Array]> {
  const folder = folderOf(of);
  const object = (name: string, content: Uint8Array | string): [string, Uint8Array] => [
    `${folder}/${name}`,
    typeof content === 'string' ? Buffer.from(content) : content,
  ];
  yield object('_started', '');
  const lines: string[] = [];
  // The last is a partition without items.
  const size = Math.max(1, Math.ceil(items.length / (FILES - 1)));
  for (let file = 0; file < FILES; file += 1) {
    const part = file === FILES - 1 ? [] : items.slice(file * size, (file + 1) * size);
    const content = gzipSync(part.map((item) => `{"Item":${item}}\n`).join(''));
    const [key, data] = object(`data/${fileName()}.json.gz`, content);
    yield [key, data];
    const etag = `${createHash('md5').update(content).digest('hex')}-1`;
    lines.push(JSON.stringify({ itemCount: part.length, md5Checksum: md5(content), etag, dataFileS3Key: key }));
  }
  const time = (ms: number) => new Date(ms).toISOString();
  const summary = JSON.stringify({
    version: '2020-06-30',
    exportArn: of.arn,
    ...{ startTime: time(of.startTimeMs), endTime: time(Date.now()) },
    ...{ tableArn: of.tableArn, tableId, exportTime: time(of.exportTimeMs) },
    ...{ s3Bucket: of.bucket, s3Prefix: of.prefix ?? null },
    ...{ s3SseAlgorithm: of.sseAlgorithm, s3SseKmsKeyId: of.sseKmsKeyId ?? null },
    manifestFilesS3Key: `${folder}/manifest-files.json`,
    ...{ billedSizeBytes: bytes, itemCount: items.length, outputFormat: 'DYNAMODB_JSON', exportType: 'FULL_EXPORT' },
  });
  for (const [name, text] of [
    ['manifest-files', `${lines.join('\n')}\n`],
    ['manifest-summary', summary],
  ] as const) {
    yield object(`${name}.md5`, md5(text));
    yield object(`${name}.json`, text);
  }
}

function fileName(): string {
  return [...randomBytes(NAME_LENGTH)].map((byte) => NAME_CHARACTERS[byte % NAME_CHARACTERS.length]).join('');
}
