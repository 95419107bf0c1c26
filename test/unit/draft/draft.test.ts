import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import { itemOf } from '../../../infra/demo/customers/item.ts';
import { type DraftOptions, draft } from '../../../infra/draft/draft.ts';
import { kindsOf } from '../../../infra/draft/entity.ts';
import { guessKey } from '../../../infra/draft/key.ts';
import { type Item, sampleFile } from '../../../infra/draft/sample.ts';
import { definitionText } from '../../../infra/draft/text.ts';
import type { AttributeValue } from '../../../shared/changes/attribute-value.ts';
import { toEventImage } from '../../../shared/changes/attribute-value.ts';
import { isChange, isSkipped, makeDecoder } from '../../../shared/changes/decode.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';

const DEFINE = new URL('../../../shared/feature-groups/define.ts', import.meta.url).pathname;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tributary-draft-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const named = (items: readonly Item[], options: Partial<DraftOptions> = {}) => {
  const key = guessKey(items) ?? [];
  const kinds = kindsOf(
    items,
    key.map(({ name }) => name),
  );
  return draft(items, { name: 'drafted', table: 'drafted', key, kinds, ...options });
};

/** What the decoder of a definition makes of an item that comes in. */
function decodedBy(group: FeatureGroup, item: Item) {
  const Keys = Object.fromEntries(group.recordIdentifier.attributes.map((name) => [name, item[name]]));
  const dynamodb = {
    ApproximateCreationDateTime: 1,
    Keys,
    NewImage: item,
    SequenceNumber: '1',
    StreamViewType: 'NEW_AND_OLD_IMAGES',
  };
  return makeDecoder(group)({ eventName: 'INSERT', dynamodb });
}

/** A definition without what a sample cannot tell. */
const withoutBounds = ({ features, ...group }: FeatureGroup) => ({
  ...group,
  features: features.map(
    ({ min: _, max: __, ...feature }: FeatureGroup['features'][number] & { min?: unknown; max?: unknown }) => feature,
  ),
});

const text = fc.oneof(
  fc.constantFrom('a', 'b', '', '2026-01-15', '2026-02-30', 'yes', 'no', "it's", '*/', '\n', '\u2028', '`'),
  fc.string({ maxLength: 8 }),
);
const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.constantFrom('1E125', '-1E-130', '9223372036854775808', '1700000000', '0.10'),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }).map(String),
);
const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.record({ S: text }),
  fc.record({ N: number }),
  fc.record({ BOOL: fc.boolean() }),
  fc.constantFrom({ NULL: true }, { B: 'AAEq' }, { SS: ['b', 'a'] }, { NS: ['1', '2'] }),
);
const name = fc.oneof(
  fc.constantFrom(
    'a',
    'A',
    'a.b',
    'email',
    'createdAt',
    'constructor',
    'y',
    'event_time',
    'lines[0]',
    '__x',
    'dt',
    'type',
  ),
  fc.string({ minLength: 1, maxLength: 70 }).filter((it) => it !== '__proto__'),
);
const attribute: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  fc.record({ M: fc.dictionary(name, scalar, { maxKeys: 4 }) }),
  fc.record({ L: fc.array(scalar, { maxLength: 2 }) }),
);
/** Items whose attributes are mostly of one type each, as those of a table are. */
const sample = fc
  .uniqueArray(name, { minLength: 1, maxLength: 6, selector: (it) => it })
  .chain((names) =>
    fc.tuple(
      ...names.map((it) =>
        fc.tuple(fc.constant(it), fc.array(fc.option(attribute, { nil: undefined }), { minLength: 8, maxLength: 8 })),
      ),
    ),
  )
  .map((columns) =>
    Array.from({ length: 8 }, (_, row): Item => {
      const cells = columns.flatMap(([it, values]) => (values[row] === undefined ? [] : [[it, values[row]] as const]));
      return { ...Object.fromEntries(cells), size: { N: String(row) }, 'the key': { S: `key ${row}` } };
    }),
  );

describe('a drafted definition', () => {
  test('takes in every item of whatever sample it is drafted from, and so does the file that is written', async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(sample, async (items) => {
        const key = [{ name: 'the key', type: 'S' as const }];
        const drafted = named(items, { key, kinds: kindsOf(items, ['the key']) });
        const taken = items.map((item) => decodedBy(drafted.group, item));
        expect(taken.filter((it) => !isChange(it) && !(isSkipped(it) && drafted.kind))).toEqual([]);
        files += 1;
        const file = join(dir, `drafted-${files}.ts`);
        writeFileSync(file, definitionText(drafted, DEFINE, 'a sample */'));
        expect(await loadFeatureGroup(file)).toEqual(drafted.group);
      }),
      { numRuns: 150 },
    );
  });

  test('of the worked example gives back, but for bounds, the definition that is there', () => {
    const customers = generateCustomers(4_119, 7);
    const items = customers.map((it) => toEventImage({ ...itemOf(it, bankMarketing), y: { N: it.label } }) as Item);
    const { group } = draft(items, {
      ...{ name: bankMarketing.name, table: bankMarketing.name, kinds: [] },
      key: [{ name: 'customer_id', type: 'S' }],
    });
    expect(withoutBounds(group)).toEqual(withoutBounds(bankMarketing));
    expect(schemaHash(group)).toBe(schemaHash(bankMarketing));
  });

  test('of the worked example as UCI has it gives it back by paths of dotted names, and a label of no and yes', async () => {
    const columns = bankMarketing.features.map(({ name }) => ({
      name,
      column: /^(emp|cons|nr)_/.test(name) ? name.replaceAll('_', '.') : name,
    }));
    const quoted = (text: string) => (/^-?[\d.]+$/.test(text) ? text : `"${text}"`);
    const rows = generateCustomers(4_119, 7).map(({ features, label }) =>
      [...columns.map(({ name }) => features[name] ?? ''), label === '1' ? 'yes' : 'no'].map(quoted).join(';'),
    );
    const file = join(dir, 'bank-additional.csv');
    writeFileSync(file, [[...columns.map(({ column }) => `"${column}"`), '"y"'].join(';'), ...rows, ''].join('\n'));
    const { items } = await sampleFile(file, 5_000);
    expect(Object.keys(items[0] ?? {})).toContain('emp.var.rate');
    const keyed = items.map((item, n) => ({ ...item, customer_id: { S: `c-${n}` } }));
    const { name, table } = bankMarketing;
    const { group } = draft(keyed, { name, table, kinds: [], key: [{ name: 'customer_id', type: 'S' }] });
    for (const { name: feature, column } of columns.filter((it) => it.column !== it.name)) {
      const { attribute, path } = group.features.find((it) => it.name === feature) ?? {};
      expect([attribute, path]).toEqual([column, undefined]);
    }
    expect(group.label?.values).toEqual({ 0: ['no'], 1: ['yes'] });
    const places = ({ features, label, ...rest }: FeatureGroup) => ({
      ...rest,
      features: features.map(({ attribute: _, ...feature }) => feature),
      label: { name: label?.name, attribute: label?.attribute, since: label?.since },
    });
    expect(places(withoutBounds(group))).toEqual(places(withoutBounds(bankMarketing)));
    expect(schemaHash(group)).toBe(schemaHash(bankMarketing));
  });

  test('of a file of another schema, with spelled labels and no key, is complete', async () => {
    const file = join(dir, 'campaign.csv');
    const header =
      'age;job;marital;education;default;balance;housing;loan;contact;day;month;duration;campaign;pdays;previous;poutcome;y';
    const rows = Array.from({ length: 400 }, (_, n) =>
      [
        ...[
          20 + (n % 50),
          ['admin.', 'services', 'unknown'][n % 3],
          ['married', 'single'][n % 2],
          ['primary', 'tertiary'][n % 2],
        ],
        ...[['no', 'yes'][Number(n % 9 === 0)], n * 17 - 900, ['no', 'yes'][n % 2], ['no', 'yes'][n % 2]],
        ...[
          ['cellular', 'unknown'][n % 2],
          (n % 28) + 1,
          ['may', 'jun', 'jul'][n % 3],
          n,
          (n % 4) + 1,
          n % 5 === 0 ? n : -1,
        ],
        ...[n % 3, ['failure', 'success', 'unknown'][n % 3], ['no', 'yes'][Number(n % 8 === 0)]],
      ].join(';'),
    );
    writeFileSync(file, [header, ...rows].join('\n'));
    const { items } = await sampleFile(file, 1_000);
    expect(guessKey(items)).toBeUndefined();
    const keyed = items.map((item, index) => ({ ...item, id: { S: String(index) } }));
    const { group } = named(keyed);
    expect(group.label).toEqual({ name: 'y', attribute: 'y', since: 1, values: { 0: ['no'], 1: ['yes'] } });
    expect(Object.fromEntries(group.features.map(({ name: it, type }) => [it, type]))).toEqual({
      ...{
        age: 'integral',
        job: 'categorical',
        marital: 'categorical',
        education: 'categorical',
        default: 'categorical',
      },
      ...{ balance: 'integral', housing: 'categorical', loan: 'categorical', contact: 'categorical', day: 'integral' },
      ...{ month: 'categorical', duration: 'integral', campaign: 'integral', pdays: 'integral', previous: 'integral' },
      poutcome: 'categorical',
    });
  });

  test('of a table of several kinds describes the most frequent one, and names the others', () => {
    const orders = Array.from(
      { length: 12 },
      (_, n): Item => ({
        ...{ pk: { S: `CUSTOMER#${n}` }, sk: { S: `ORDER#${n}` }, total: { N: `${n}.5` } },
        address: { M: { city: { S: ['Graz', 'Linz'][n % 2] }, zip: { S: '8010' } } },
        returned: { BOOL: n % 2 === 0 },
      }),
    );
    const profiles = Array.from(
      { length: 5 },
      (_, n): Item => ({
        ...{ pk: { S: `CUSTOMER#${n}` }, sk: { S: 'PROFILE' }, email: { S: `${n}@example.org` } },
      }),
    );
    const { group, notes } = named([...orders, ...profiles]);
    expect(group.items).toEqual([{ attribute: 'sk', holds: 'startsWith', text: 'ORDER#' }]);
    expect(group.recordIdentifier).toEqual({ name: 'ORDER_id', attributes: ['pk', 'sk'], types: ['S', 'S'] });
    expect(group.features.map(({ name: it, type, path }) => [it, type, path])).toEqual([
      ['total', 'fractional', undefined],
      ['address_city', 'categorical', ['address', 'city']],
      ['address_zip', 'string', ['address', 'zip']],
    ]);
    expect(group.label?.name).toBe('returned');
    expect(notes).toContainEqual(expect.stringContaining('takes those of ORDER#, and skips PROFILE (5)'));
    expect(notes).toContainEqual(expect.stringContaining('personal data, by its name: address_zip'));
  });

  test('is refused where there is nothing to store', () => {
    expect(() => named([{ id: { S: 'a' }, mixed: { N: 'x' } }])).toThrow(
      'No attribute of the sample beside the key can be a feature (mixed: N in every item; not all are numbers).',
    );
  });

  test('says what it leaves out, and why', () => {
    const items = Array.from(
      { length: 6 },
      (_, n): Item => ({
        ...{ id: { S: `i-${n}` }, mixed: n % 2 === 0 ? { BOOL: true } : { S: 'x' }, size: { N: String(n) } },
      }),
    );
    const { group, notes, label } = named(items);
    expect(group.features.map(({ name: it }) => it)).toEqual(['size']);
    expect(notes).toContainEqual('mixed is left out: BOOL or S in every item; no feature takes them all.');
    expect(label).toBeUndefined();
    expect(notes).toContainEqual(expect.stringContaining('There is no label'));
  });
});

describe('items of a file', () => {
  const read = async (content: string) => {
    const file = join(dir, 'items');
    writeFileSync(file, content);
    return (await sampleFile(file, 10)).items;
  };
  const typed = { id: { S: 'a' }, n: { N: '1.50' } };

  test.each([
    ["an export's lines", JSON.stringify({ Item: typed })],
    ["DynamoDB's JSON", JSON.stringify(typed)],
    ['an array of it', JSON.stringify([typed])],
    ['CSV', 'id,n\na,1.50'],
    ['CSV with semicolons', '"id";"n"\n"a";1.50'],
  ])('are read from %s', async (_, content) => {
    expect(await read(content)).toEqual([typed]);
  });

  test('are read from plain JSON, whose members are what JSON says they are', async () => {
    expect(await read('{"id":"a","n":1.5,"ok":true,"m":{"x":[1]},"none":null}\n\n')).toEqual([
      {
        ...{ id: { S: 'a' }, n: { N: '1.5' }, ok: { BOOL: true }, none: { NULL: true } },
        m: { M: { x: { L: [{ N: '1' }] } } },
      },
    ]);
  });

  test('are refused by the line that is none', async () => {
    await expect(read('{"id":"a"}\n{"id":')).rejects.toThrow(
      /items, line 2: found no JSON, expected an item on each line/,
    );
    await expect(sampleFile(join(dir, 'nowhere'), 1)).rejects.toThrow(/nowhere cannot be read/);
  });
});
