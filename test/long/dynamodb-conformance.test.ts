import { expect, test } from 'vitest';
import { conformance } from '../given/suites/conformance.ts';
import { testedBy } from '../given/suites/peers-suite.ts';

/** Tests that it has at its commit: a suite that ended early has less. */
const TESTS = 601;

test('the embedded DynamoDB conforms to what was recorded of AWS', async ({ skip }) => {
  const tested = await testedBy(conformance);
  if (!tested) return skip();
  expect(tested.filter((it) => it.problem !== undefined)).toEqual([]);
  expect(tested).toHaveLength(TESTS);
});
