import type { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { answer, type PredictDependencies } from '../../../functions/predict.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  integral,
} from '../../../shared/feature-groups/define.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { modelReader } from '../../../shared/prediction/model.ts';
import { accounts } from '../../given/builders.ts';

/** Whatever is sent, predict answers: never 5xx to a request that is merely wrong, and never more than little. */

/** Longest answer to one request that is refused, in characters. */
const ANSWER_MAX = 4_000;

/** Services as the SDK reaches them: an identifier stands in a URL, which takes no lone surrogate. */
function dependenciesOf(group: FeatureGroup): PredictDependencies {
  const featureStore = {
    send: async ({ input }: { input: { RecordIdentifierValueAsString?: string } }) => {
      encodeURIComponent(input.RecordIdentifierValueAsString ?? '');
      return { Records: [] };
    },
  };
  const runtime = {
    send: async ({ input }: InvokeEndpointCommand) => {
      const rows = String(input.Body).split('\n');
      for (const cell of rows.flatMap((row) => row.split(','))) {
        if (!Number.isFinite(Math.fround(Number(cell)))) throw new Error(`no number for a model: ${cell.slice(0, 50)}`);
      }
      return {
        Body: Buffer.from(JSON.stringify({ predictions: rows.map(() => ({ score: 0.5, predicted_label: 1 })) })),
      };
    },
  };
  return {
    config: { featureGroup: group.name, stateTable: 'state', endpointName: 'endpoint', predictionLogStream: '' },
    group,
    featureStore: featureStore as unknown as SageMakerFeatureStoreRuntimeClient,
    runtime: runtime as unknown as SageMakerRuntimeClient,
    readModel: modelReader(group, {
      readServing: async () => ({ modelName: 'm', schemaHash: schemaHash(group) }),
      readEncoding: async () => undefined,
      endpointName: 'endpoint',
    }),
  };
}

async function post(body: string, group: FeatureGroup = accounts): Promise<{ statusCode: number; body: string }> {
  const event = { requestContext: { http: {} }, body };
  return (await answer(event, dependenciesOf(group))) as { statusCode: number; body: string };
}

const ofJson = (body: unknown, group?: FeatureGroup) => post(JSON.stringify(body), group);

/** JSON as a caller may write it, near to a request and far from it. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -0,
    1e308,
    -1e308,
    1e-320,
    3.5e38,
    '1e999',
    '9'.repeat(500),
    '',
    '\ud800',
    'team',
    {},
    [],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const key = fc.constantFrom(
  'logins',
  'balance',
  'plan',
  'active',
  'note',
  'score',
  '__proto__',
  'constructor',
  'toString',
  'x',
);
const features = fc.array(fc.tuple(key, value), { maxLength: 8 }).map((entries) => {
  // As text, for a key that an object literal would not take as its own.
  return `{${entries.map(([name, it]) => `${JSON.stringify(name)}:${JSON.stringify(it)}`).join()}}`;
});
const record = fc.oneof(
  features.map((it) => `{"features":${it}}`),
  value.map((it) => `{"account_id":${JSON.stringify(it)}}`),
  value.map((it) => JSON.stringify(it)),
);
const request = fc.oneof(
  record,
  fc.array(record, { maxLength: 120 }).map((records) => `{"records":[${records.join()}]}`),
  fc.string({ maxLength: 60 }),
);

describe('a hostile request', () => {
  test('of any kind is answered, never with 5xx, and shortly', async () => {
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    await fc.assert(
      fc.asyncProperty(request, async (body) => {
        const { statusCode, body: said } = await post(body);
        expect([200, 400, 404, 409]).toContain(statusCode);
        if (statusCode !== 200) expect(said.length).toBeLessThan(ANSWER_MAX);
      }),
      { numRuns: 3_000 },
    );
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before);
  });

  test.each([
    ['an identifier that is no text of Unicode', { account_id: '\ud800' }],
    ['an identifier of 20,000 characters', { account_id: 'x'.repeat(20_000) }],
    ['an identifier of more than 2,048 bytes', { account_id: 'ä'.repeat(1_025) }],
    ['one of them in a list', { records: [{ account_id: 'a' }, { account_id: '\udfff' }] }],
  ])('with %s is refused with 400', async (_, body) => {
    const { statusCode, body: said } = await ofJson(body);
    expect({ statusCode, said: JSON.parse(said).error }).toEqual({
      statusCode: 400,
      said: expect.stringContaining('account_id must be well-formed text of at most 2048 bytes'),
    });
  });

  test('that is nested as deep as it can be written is refused with 400', async () => {
    const depth = 200_000;
    const body = `{"features":{"logins":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    const { statusCode, body: said } = await post(body);
    expect(statusCode).toBe(400);
    expect(said).toMatch(/logins must be a whole number, not a list|must be JSON/);
  });

  test('with numbers beyond what a model reads, or of millions of digits, is refused with 400', async () => {
    for (const balance of ['9'.repeat(5_000_000), `0.${'9'.repeat(500)}`]) {
      expect(await ofJson({ features: { balance } })).toMatchObject({ statusCode: 400 });
    }
    const wide = defineFeatureGroup({
      ...{ name: 'wide', recordIdentifier: 'id', label: { name: 'y' } },
      features: { x: fractional() },
    });
    expect((await ofJson({ features: { x: 3e38 } }, wide)).statusCode).toBe(200);
    expect((await ofJson({ features: { x: 1e39 } }, wide)).statusCode).toBe(400);
  });

  test('of a hundred records lacking 2,400 features is answered in a few lines', async () => {
    const many = Array.from({ length: 2_400 }, (_, index) => [`feature_${index}`, integral()] as const);
    const group = defineFeatureGroup({
      ...{ name: 'many', recordIdentifier: 'id', label: { name: 'y' } },
      features: { ...Object.fromEntries(many), kind: categorical(Array.from({ length: 90 }, (_, it) => `kind-${it}`)) },
    });
    const { statusCode, body } = await ofJson(
      { records: Array.from({ length: 100 }, () => ({ features: { x: 1 } })) },
      group,
    );
    expect(statusCode).toBe(400);
    expect(body.length).toBeLessThan(ANSWER_MAX);
    expect((await ofJson({ features: { kind: 'other' } }, group)).body.length).toBeLessThan(ANSWER_MAX);
  });

  test('for a hundred unknown records of 2,000 characters names the first of them, cut', async () => {
    const records = Array.from({ length: 100 }, (_, index) => ({ account_id: `${index}-${'x'.repeat(1_990)}` }));
    const { statusCode, body } = await ofJson({ records });
    expect(statusCode).toBe(404);
    expect(body).toContain('and 90 more');
    expect(body.length).toBeLessThan(ANSWER_MAX);
  });
});

describe('names that every object inherits', () => {
  const group = defineFeatureGroup({
    ...{ name: 'inherited', recordIdentifier: 'id', label: { name: 'y' } },
    features: { constructor: integral({ optional: true }), toString: boolean({ optional: true }), x: integral() },
  });

  test('are features that may be left out', async () => {
    expect((await ofJson({ features: { x: 1 } }, group)).statusCode).toBe(200);
    expect((await ofJson({ features: { x: 1, constructor: 2, toString: true } }, group)).statusCode).toBe(200);
  });

  test('are refused as unknown where they are none: __proto__ too', async () => {
    const { statusCode, body } = await post('{"features":{"x":1,"__proto__":{"y":1}}}', group);
    expect({ statusCode, said: JSON.parse(body).error }).toEqual({
      statusCode: 400,
      said: expect.stringContaining('__proto__: no such feature'),
    });
  });
});

describe('a service that does not answer', () => {
  const silent = { send: () => new Promise<never>(() => undefined) };

  test.each([
    ['the state table', (it: PredictDependencies) => ({ ...it, readModel: silent.send }), { features: {} }, 5_000],
    ['the online store', (it: PredictDependencies) => ({ ...it, featureStore: silent }), { account_id: 'a' }, 3_000],
    [
      'the endpoint',
      (it: PredictDependencies) => ({ ...it, runtime: silent }),
      { features: { logins: 1, balance: 1, plan: 'team', active: true } },
      8_000,
    ],
  ])('of %s makes a prediction 503, long before the function is ended', async (_, broken, body, limit) => {
    // AbortSignal.timeout has timers of its own, which fake ones do not reach.
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((millis) => {
      const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
      return millis === limit ? late : new AbortController().signal;
    });
    try {
      const event = { requestContext: { http: {} }, body: JSON.stringify(body) };
      const dependencies = broken(dependenciesOf(accounts)) as PredictDependencies;
      expect(await answer(event, dependencies)).toMatchObject({ statusCode: 503 });
    } finally {
      timeout.mockRestore();
    }
  });
});
