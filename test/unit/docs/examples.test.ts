import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { sampleItem } from '../../../infra/aws/live-test/sample-item.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { encode, trainingColumns } from '../../../shared/model/encode.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { codeBlocks, documents, readDocument } from '../../given/documents.ts';

const EXAMPLES = 'docs/examples';

const quoted = documents().flatMap((document) =>
  codeBlocks(document).flatMap(({ file, code }) => (file === undefined ? [] : { path: document.path, file, code })),
);

test.each(quoted)('the block of $path that names $file shows it word for word', ({ file, code }) => {
  expect(code).toBe(readFileSync(file, 'utf8'));
});

test('README shows the definition to begin with', () => {
  expect(codeBlocks(readDocument('README.md')).map(({ file }) => file)).toContain(join(EXAMPLES, 'orders.ts'));
});

test('every example is compiled with the project, and the one in Python is run by a test', () => {
  expect(JSON.parse(readFileSync('tsconfig.json', 'utf8')).include).toContain(EXAMPLES);
  expect(readdirSync(EXAMPLES).filter((name) => !name.endsWith('.ts'))).toEqual(['tributary.py']);
  expect(readFileSync('test/contract/insight/python.test.ts', 'utf8')).toContain(`${EXAMPLES}/tributary.py`);
});

describe('the definition of the orders', async () => {
  const orders = await loadFeatureGroup(`./${EXAMPLES}/orders.ts`);

  it('loads, and takes an item of its own', () => {
    const { pk, sk, ...rest } = sampleItem(orders, 'customer-7');
    const NewImage = { pk, sk, ...rest };
    const record = {
      eventName: 'INSERT',
      dynamodb: { SequenceNumber: '1', ApproximateCreationDateTime: 1_764_144_000, Keys: { pk, sk }, NewImage },
    };
    expect(makeDecoder(orders)(record)).toSatisfy(isChange);
  });

  it('has the columns that the page for data scientists prints, and the row that the page on predictions sends', () => {
    const printed = ['returned', ...trainingColumns(orders)].join();
    expect(readDocument('docs/guides/data-scientists.md').text).toContain(`\n${printed}\n`);
    const row = encode(orders, { amount: '150.0', items: '3.0', channel: 'web', express: '1' });
    const sent = /echo '([^']+)' \| aws sagemaker-runtime/.exec(readDocument('docs/reference/prediction.md').text)?.[1];
    expect(sent?.split(',').map(Number)).toEqual(row.map(Number));
  });

  it('has the schema that the answers in README and docs name', () => {
    const named = documents().flatMap(({ text }) => [...text.matchAll(/"schema":"(\w+)"/g)].map(([, hash]) => hash));
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named)).toEqual(new Set([schemaHash(orders)]));
  });
});
