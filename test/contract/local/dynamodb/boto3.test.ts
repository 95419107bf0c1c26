import { expect, test } from 'vitest';
import { boto3 } from '../../../given/suites/boto3.ts';
import { testedBy } from '../../../given/suites/peers-suite.ts';

/** Fewest checks of the script: one that ended early has less. */
const CHECKS_MIN = 104;

test('boto3 is answered as AWS answers an application', async ({ skip }) => {
  const tested = await testedBy(boto3);
  if (!tested) return skip();
  expect(tested.filter((it) => it.problem !== undefined)).toEqual([]);
  expect(tested.length).toBeGreaterThanOrEqual(CHECKS_MIN);
});
