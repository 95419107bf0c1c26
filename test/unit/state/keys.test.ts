import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { fenceKey, labelKey } from '../../../shared/state/keys.ts';

test('an identifier that looks like the hash of a long one has keys of its own', () => {
  const long = 'x'.repeat(1_100);
  const lookalike = `sha256:${createHash('sha256').update(long).digest('hex')}`;
  expect(fenceKey(lookalike)).not.toBe(fenceKey(long));
  expect(labelKey(lookalike)).not.toBe(labelKey(long));
  expect(fenceKey('short')).toBe('fence#short');
});
