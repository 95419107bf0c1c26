import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { linesOf } from '../../../shared/promotion/scores.ts';

test('a file is read no further than its lines are asked for, and is let go', async () => {
  let chunks = 0;
  const body = Readable.from(
    (function* () {
      for (; chunks < 1_000; chunks += 1) yield `${'1,2,3\n'.repeat(1_000)}`;
    })(),
  );
  const s3 = { send: async () => ({ Body: body }) } as unknown as Pick<S3Client, 'send'>;
  const lines: string[] = [];
  for await (const line of linesOf(s3, 'data', 'judge/1')) {
    lines.push(line);
    if (lines.length === 3) break;
  }
  expect(lines).toEqual(['1,2,3', '1,2,3', '1,2,3']);
  // The end of a stream is told a moment later.
  await expect.poll(() => body.destroyed, { timeout: 10_000 }).toBe(true);
  expect(chunks).toBeLessThan(1_000);
});
