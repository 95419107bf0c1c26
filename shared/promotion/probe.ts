import type { S3Client } from '@aws-sdk/client-s3';
import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { challengersRow, type JudgeRows } from './judge-rows.ts';
import { readRows, scoresOf } from './scores.ts';

/** Rows that a new endpoint is asked for. */
const ROWS_MAX = 20;

/**
 * How far its score may be from the one that batch transform wrote, of one beyond 1 as a share of it: both are decimal
 * texts of the same number.
 */
const SCORE_DIFFERENCE_MAX = 1e-4;

const isClose = (found: number, expected = Number.NaN): boolean =>
  Math.abs(found - expected) <= SCORE_DIFFERENCE_MAX * Math.max(1, Math.abs(expected));

/** A new endpoint does not answer as its model did when it was judged. */
export class ProbeFailed extends Error {
  override readonly name = 'ProbeFailed';
}

/**
 * Asks an endpoint that nobody asks yet for rows that its model was judged by, and compares the scores.
 *
 * @returns the number of rows.
 * @throws ProbeFailed naming the first row that is answered otherwise.
 */
export async function probeEndpoint(
  { runtime, s3 }: { runtime: Pick<SageMakerRuntimeClient, 'send'>; s3: Pick<S3Client, 'send'> },
  endpointName: string,
  { rows: judged, scores: uri }: { rows: JudgeRows; scores: string },
): Promise<number> {
  const { rows, scores } = await readRows(s3, { judge: judged.challengerUri, scores: uri }, ROWS_MAX);
  for (const [index, row] of rows.entries()) {
    const { Body } = await runtime.send(
      new InvokeEndpointCommand({
        EndpointName: endpointName,
        ContentType: 'text/csv',
        Accept: 'application/json',
        Body: challengersRow(row, judged),
      }),
    );
    const [found = []] = scoresOf(
      Buffer.from(Body ?? [])
        .toString('utf8')
        .trim(),
    );
    const expected = scores[index] ?? [];
    if (found.length === expected.length && found.every((it, label) => isClose(it, expected[label]))) continue;
    throw new ProbeFailed(
      `Endpoint ${endpointName} scores row ${index + 1} of those its model was judged by ${found.join(', ')}, and the model scored ${expected.join(', ')}`,
    );
  }
  return rows.length;
}
