import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import {
  alarmNames,
  executionName,
  isAlarmOf,
  isMadeOf,
  resourceName,
  type Scored,
} from '../../../shared/model/names.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const CLAIMED_AT = Date.UTC(2026, 0, 15);
/** The longest name a feature group can have. */
const LONGEST = `a${'-_b'.repeat(21)}`;

describe('names of trainings', () => {
  test('an execution is named after group, epoch and attempt, and nothing else', () => {
    expect(executionName('bank-marketing', 3, 1)).toBe('bank-marketing-epoch-3-attempt-1');
  });

  test('an execution has at most 80 characters', () => {
    const name = executionName(LONGEST, 123_456, 1_000);
    expect(name.length).toBeLessThanOrEqual(80);
    expect(name).toMatch(/^[\w-]+-epoch-123456-attempt-1000$/);
  });

  test('a training job, model or endpoint configuration has a name that SageMaker takes', () => {
    for (const base of ['tributary-bank-marketing-dev', LONGEST, 'a_b', 'A'.repeat(64)]) {
      const name = resourceName(base, 12_345, 99, CLAIMED_AT);
      expect(name).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/);
      expect(name.length).toBeLessThanOrEqual(63);
    }
  });

  test('every name of an attempt begins with the longest endpoint name, uncut, as permissions demand', () => {
    const { endpoint } = namesOf({ ...orders, name: 'x'.repeat(64) }, 'production');
    expect(endpoint).toHaveLength(40);
    for (const scored of [undefined, 'new', 'old', 'top'] as const) {
      const name = resourceName(endpoint, 99_999, 99, CLAIMED_AT, scored);
      expect(name.startsWith(`${endpoint}-`)).toBe(true);
      expect(name.length).toBeLessThanOrEqual(63);
    }
  });

  test('names that are cut stay different', () => {
    expect(executionName(`${'x'.repeat(79)}a`, 1, 1)).not.toBe(executionName(`${'x'.repeat(79)}b`, 1, 1));
  });

  test('another epoch, attempt or time of claim gives other names', () => {
    const names = [
      resourceName('g', 1, 1, CLAIMED_AT),
      resourceName('g', 2, 1, CLAIMED_AT),
      resourceName('g', 1, 2, CLAIMED_AT),
      resourceName('g', 1, 1, CLAIMED_AT + 1_000),
    ];
    expect(new Set(names).size).toBe(4);
  });
});

describe('a name', () => {
  /** Names that are hard to tell apart: of few letters, and of pieces that names of attempts are made of. */
  const base = fc
    .array(fc.constantFrom('a', 'b', 'e1', 'a1', 'e1-a1-t0', 'new', 'old', 'top', '1', 'x'.repeat(20)), {
      minLength: 1,
      maxLength: 6,
    })
    .map((words) => words.join('-'));
  const made = fc.record({
    epoch: fc.integer({ min: 1, max: 99_999 }),
    attempt: fc.integer({ min: 1, max: 99 }),
    at: fc.integer({ min: 0, max: CLAIMED_AT * 2 }),
    scored: fc.constantFrom<Scored | undefined>(undefined, 'new', 'old', 'top'),
  });
  type Made = typeof made extends fc.Arbitrary<infer T> ? T : never;
  const nameOf = (of: string, { epoch, attempt, at, scored }: Made) => resourceName(of, epoch, attempt, at, scored);

  test('is recognized as made of its base, however long, and its alarms are', () => {
    fc.assert(
      fc.property(base, made, (of, what) => {
        const name = nameOf(of, what);
        expect(isMadeOf(of)(name)).toBe(true);
        for (const alarm of Object.values(alarmNames(name))) expect(isAlarmOf(of)(alarm)).toBe(true);
      }),
    );
  });

  test('is never taken for one of another base that begins alike, nor are its alarms', () => {
    fc.assert(
      fc.property(base, base, made, (one, other, what) => {
        fc.pre(one !== other);
        for (const of of [other, `${one}-${other}`, `${other}-${one}`]) {
          const name = nameOf(of, what);
          if (of === one) continue;
          expect(isMadeOf(one)(name)).toBe(false);
          for (const alarm of Object.values(alarmNames(name))) expect(isAlarmOf(one)(alarm)).toBe(false);
        }
      }),
    );
  });

  test.each([
    '',
    'orders',
    'orders-e1',
    'orders-e1-a1',
    'orders-e1-a1-t0-best',
    'orders-e1-a1-T0',
    'my-orders-e1-a1-t0',
  ])('that no attempt has given is not recognized: "%s"', (name) => {
    expect(isMadeOf('orders')(name)).toBe(false);
    expect(isAlarmOf('orders')(`${name}-errors`)).toBe(false);
    expect(isAlarmOf('orders')('orders-e1-a1-t0-other')).toBe(false);
  });
});
