import { describe, expect, test } from 'vitest';
import { executionName, resourceName } from '../../../shared/model/names.ts';

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

  test('an endpoint name of 40 characters is not cut, so that names begin with it as permissions demand', () => {
    const endpoint = 'e'.repeat(40);
    expect(resourceName(endpoint, 9_999, 99, CLAIMED_AT)).toMatch(`${endpoint}-e9999-a99-`);
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
