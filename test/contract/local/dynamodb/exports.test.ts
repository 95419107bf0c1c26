import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchWriteItemCommand,
  DescribeExportCommand,
  DynamoDBClient,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeCommandInput,
  ListExportsCommand,
  UpdateContinuousBackupsCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { generateCustomers } from '../../../../infra/demo/customers/customers.ts';
import { itemOf } from '../../../../infra/demo/customers/item.ts';
import { type Cloud, startCloud } from '../../../../infra/local/cloud.ts';
import group from '../../../../shared/feature-groups/bank-marketing.ts';
import { contentOf } from '../../../../shared/history/lines.ts';
import { readExport } from '../../../../shared/history/manifest.ts';
import { bucketPlace } from '../../../../shared/history/places.ts';
import { runScript } from '../../../given/command.ts';
import { reachCloud } from '../../../given/local/reached.ts';
import { stackOf } from '../../../given/local/stacks.ts';

/** Exports of the local cloud, as AWS's own SDK and a backfill meet them. */

const BUCKET = 'exports-of-tests';
const COUNT = 40;
const items = generateCustomers(COUNT, 3).map((customer) => itemOf(customer, group));

let dir: string;
let cloud: Cloud;
let dynamodb: DynamoDBClient;
let s3: S3Client;
const TableArn = `arn:aws:dynamodb:us-east-1:000000000000:table/${group.table}`;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-exports-'));
  const options = { featureGroup: group.name, params: { changeLogBufferSeconds: 1 } };
  cloud = await startCloud({ dir, port: 0, ...options, stack: await stackOf(options) });
  reachCloud(cloud);
  vi.stubEnv('TRIBUTARY_CLOCKS_AGREE', '1');
  dynamodb = new DynamoDBClient();
  s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (let at = 0; at < items.length; at += 25) {
    const puts = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [group.table]: puts } }));
  }
  await recovery(true);
});
afterAll(async () => {
  await cloud?.close();
  await rm(dir, { recursive: true, force: true });
});

const recovery = (PointInTimeRecoveryEnabled: boolean) =>
  dynamodb.send(
    new UpdateContinuousBackupsCommand({
      ...{ TableName: group.table, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled } },
    }),
  );

const request = async (input: Partial<ExportTableToPointInTimeCommandInput> = {}) =>
  (await dynamodb.send(new ExportTableToPointInTimeCommand({ TableArn, S3Bucket: BUCKET, ...input })))
    .ExportDescription ?? {};

const ended = async (ExportArn: string | undefined) => {
  const described = async () => (await dynamodb.send(new DescribeExportCommand({ ExportArn }))).ExportDescription ?? {};
  await expect.poll(async () => (await described()).ExportStatus).not.toBe('IN_PROGRESS');
  return described();
};

describe('ExportTableToPointInTime of the local cloud', () => {
  test('writes the layout of AWS, whose manifests and files a backfill verifies and reads', async () => {
    const begun = await request({ S3Prefix: 'old' });
    expect(begun).toMatchObject({ ExportStatus: 'IN_PROGRESS', ExportFormat: 'DYNAMODB_JSON', S3Bucket: BUCKET });
    expect(begun.ExportArn).toMatch(new RegExp(`^${TableArn}/export/0\\d{13}-[0-9a-f]{8}$`));
    const done = await ended(begun.ExportArn);
    expect(done).toMatchObject({ ExportStatus: 'COMPLETED', ItemCount: COUNT, ExportType: 'FULL_EXPORT' });
    expect(Math.abs(Number(done.ExportTime) - Date.now())).toBeLessThan(600_000);

    const place = bucketPlace(s3, BUCKET);
    const told = await readExport(place, done.ExportManifest ?? '');
    expect(told).toMatchObject({ table: group.table, kind: 'full', items: COUNT, unverified: [] });
    expect(told.asOfMs).toBe(Number(done.ExportTime));
    expect(told.files.some((file) => file.items === 0)).toBe(true);
    const lines: string[] = [];
    for (const { key } of told.files) {
      const bytes = await place.open(key);
      if (!bytes) throw new Error(`${key} is not there`);
      for await (const chunk of contentOf(bytes)) lines.push(Buffer.from(chunk).toString());
    }
    const exported = lines.join('').split('\n').filter(Boolean);
    const ids = exported.map((line) => JSON.parse(line).Item.customer_id.S).sort();
    expect(ids).toEqual(items.map((it) => it.customer_id?.S).sort());
    const folder = done.ExportManifest?.replace(/[^/]*$/, '') ?? '';
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: folder }));
    const names = Contents.map(({ Key = '' }) => Key.slice(folder.length).replace(/[a-z2-7]{26}/, '*'));
    expect([...new Set(names)].sort()).toEqual(
      ['_started', 'data/*.json.gz', 'manifest-files.json', 'manifest-files.md5', 'manifest-summary.json'].concat(
        'manifest-summary.md5',
      ),
    );
  });

  test('is refused as by AWS: without recovery, of no table, and as of a moment that is not kept', async () => {
    await recovery(false);
    const without = { name: 'PointInTimeRecoveryUnavailableException' };
    await expect(request()).rejects.toMatchObject(without);
    await recovery(true);
    await expect(request({ TableArn: `${TableArn}-none` })).rejects.toMatchObject({ name: 'TableNotFoundException' });
    const ExportTime = new Date(Date.now() + 3_600_000);
    await expect(request({ ExportTime })).rejects.toMatchObject({ name: 'InvalidExportTimeException' });
  });

  test('is refused by name where AWS could, and the local cloud cannot', async () => {
    const not = { name: 'NotImplementedException' };
    await expect(request({ ExportFormat: 'ION' })).rejects.toMatchObject(not);
    await expect(request({ ExportType: 'INCREMENTAL_EXPORT' })).rejects.toMatchObject(not);
  });

  test('fails where the bucket is not there, as AWS looks only later', async () => {
    const { ExportArn } = await request({ S3Bucket: 'no-such-bucket-here' });
    expect(await ended(ExportArn)).toMatchObject({ ExportStatus: 'FAILED', FailureCode: 'S3NoSuchBucket' });
  });

  test('is made once for a client token, and refused for other parameters of it', async () => {
    const first = await request({ ClientToken: 'once' });
    expect((await request({ ClientToken: 'once' })).ExportArn).toBe(first.ExportArn);
    const other = request({ ClientToken: 'once', S3Prefix: 'elsewhere' });
    await expect(other).rejects.toMatchObject({ name: 'ExportConflictException' });
    await ended(first.ExportArn);
  });

  test('is listed, the last first, page by page', async () => {
    const { ExportSummaries: all = [] } = await dynamodb.send(new ListExportsCommand({ TableArn }));
    expect(all.length).toBeGreaterThan(2);
    const page = await dynamodb.send(new ListExportsCommand({ TableArn, MaxResults: 1 }));
    expect(page.ExportSummaries).toEqual(all.slice(0, 1));
    const next = await dynamodb.send(new ListExportsCommand({ TableArn, MaxResults: 1, NextToken: page.NextToken }));
    expect(next.ExportSummaries).toEqual(all.slice(1, 2));
    const none = dynamodb.send(new DescribeExportCommand({ ExportArn: `${TableArn}/export/none` }));
    await expect(none).rejects.toMatchObject({ name: 'ExportNotFoundException' });
  });
});

describe('npm run backfill -- --export-to', () => {
  test('requests an export, waits for it, and works it', async () => {
    const { stdout, stderr, code } = await runScript('backfill', [
      ...['--export-to', `s3://${BUCKET}/asked`, '--clock-margin', '1'],
    ]);
    expect(stderr).toContain(`Exporting the table: s3://${BUCKET}/asked/AWSDynamoDB/0`);
    expect(stdout).toMatch(new RegExp(`^${COUNT} rows: ${COUNT} written, 0 rejected`));
    expect(code).toBe(0);
  });

  test('says what to do where the table has no recovery, and exports nothing in a dry run', async () => {
    await recovery(false);
    const asked = ['--export-to', `s3://${BUCKET}/asked`, '--clock-margin', '1'];
    expect((await runScript('backfill', asked)).stderr).toContain(
      'has no point-in-time recovery, which an export needs: turn it on, or read the table with --scan.',
    );
    expect((await runScript('backfill', [...asked, '--dry-run'])).stderr).toContain('A dry run requests no export');
    expect((await runScript('backfill', ['--export-to', 'exports', '--clock-margin', '1'])).stderr).toContain(
      '--export-to: found "exports", expected s3://bucket or s3://bucket/prefix.',
    );
  });
});
