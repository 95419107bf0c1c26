import { randomUUID } from 'node:crypto';
import { notImplemented } from '../protocol/aws-error.ts';
import type { WireRequest, WireResponse } from '../protocol/service.ts';
import type { Invocation } from './runtime.ts';

/** Bodies of these types are passed as text; others in base64. Source: Lambda function URLs, request payload format. */
const TEXT_TYPES = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded)|[^;]*\+(json|xml))/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The event of a request to a function URL, payload format 2.0.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 *
 * @param rawPath the path behind the function URL, beginning with a slash.
 */
export function urlEvent(request: WireRequest, rawPath: string, at = new Date()): object {
  const { cookie, ...headers } = request.headers;
  const text = TEXT_TYPES.test(headers['content-type'] ?? 'text/plain');
  const query = [...new Set(request.query.keys())].map((name) => [name, request.query.getAll(name).join(',')]);
  const host = headers.host ?? 'localhost';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: request.query.toString(),
    ...(cookie && { cookies: cookie.split('; ') }),
    headers,
    ...(query.length > 0 && { queryStringParameters: Object.fromEntries(query) }),
    requestContext: {
      accountId: 'anonymous',
      apiId: 'local',
      domainName: host,
      domainPrefix: 'local',
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: `${String(at.getUTCDate()).padStart(2, '0')}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`,
      timeEpoch: at.getTime(),
    },
    ...(request.body.length > 0 && { body: request.body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: request.body.length > 0 && !text,
  };
}

interface UrlResponse {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: string;
  readonly cookies?: readonly string[];
  readonly isBase64Encoded?: boolean;
}

/** The HTTP response a function's answer stands for; without a statusCode the answer itself is the body. */
export function urlResponse({ payload, functionError, requestId }: Invocation): WireResponse {
  if (functionError) return json(502, '{"Message":"Internal Server Error"}', requestId);
  const answer = JSON.parse(payload) as UrlResponse | string | null;
  if (typeof answer === 'string') return json(200, answer, requestId);
  if (answer === null || typeof answer !== 'object' || answer.statusCode === undefined) {
    return json(200, payload, requestId);
  }
  const { statusCode, headers = {}, body = '', cookies = [], isBase64Encoded = false } = answer;
  if (cookies.length > 1) throw notImplemented('lambda', 'more than one cookie in the response of a function URL');
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return {
    status: statusCode,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(named),
      ...(cookies[0] !== undefined && { 'set-cookie': cookies[0] }),
      'x-amzn-requestid': requestId,
    },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}

function json(status: number, body: string, requestId: string): WireResponse {
  return { status, headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId }, body };
}
