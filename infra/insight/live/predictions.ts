import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { LiveSources } from './live-sources.ts';

/** The alias of predict's version that serves. */
const ALIAS = 'live';

/** An answer of predict, as its function URL gives it. */
export interface UrlAnswer {
  readonly status: number;
  /** A prediction, `{predictions}`, or `{error}`. */
  readonly body: unknown;
  /** Milliseconds of each step, as `Server-Timing` has them. */
  readonly timings: Readonly<Record<string, number>>;
}

/** Asks for a prediction as a caller of the function URL does, and so with its timings. @throws Error when predict failed. */
export async function askForPrediction({ lambda, stack }: LiveSources, request: object): Promise<UrlAnswer> {
  const event = {
    ...{ version: '2.0', routeKey: '$default', rawPath: '/', rawQueryString: '', isBase64Encoded: false },
    headers: { 'content-type': 'application/json' },
    requestContext: { http: { method: 'POST', path: '/' } },
    body: JSON.stringify(request),
  };
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: `${stack}-predict:${ALIAS}`, Payload: JSON.stringify(event) }),
  );
  const answer = JSON.parse(Payload?.transformToString() ?? '{}');
  if (FunctionError) throw new Error(`The function ${stack}-predict failed: see its log, and try again.`);
  const steps = String(answer.headers?.['server-timing'] ?? '').matchAll(/([\w-]+);dur=([\d.]+)/g);
  return {
    status: answer.statusCode,
    body: JSON.parse(answer.body),
    timings: Object.fromEntries([...steps].map(([, step = '', ms]) => [step, Number(ms)])),
  };
}
