import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Answers, answersOf, WrongQuestion } from './answers.ts';
import { type Asset, PREFIX, readAssets } from './assets.ts';
import type { ConsoleOptions } from './console-options.ts';
import { liveFeed } from './live-feed.ts';

/** Longest question, in bytes: that of Athena's longest statement, and room around it. */
const QUESTION_BYTES_MAX = 512 * 1024;

/** What every answer tells the browser: no guessing of types, and nothing of it in another site's pages. */
const HEADERS = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };

/** What the page itself tells it, too; said with each file, it would weigh a sixth of them all. */
const PAGE_HEADERS = { 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin' };

/** The console of one stack: the listener of every request below {@link PREFIX}, and its end. */
export interface Console {
  readonly listener: RequestListener;
  close(): void;
}

/**
 * Makes the console. Whoever serves it has refused requests for and from other sites before.
 *
 * Questions are bodies of POST requests and answers are not to be kept, so that no value of a record gets into an
 * address, a history or a log.
 */
export function makeConsole(options: ConsoleOptions): Console {
  const { files, contentSecurityPolicy } = readAssets();
  const pageHeaders = { ...PAGE_HEADERS, 'content-security-policy': contentSecurityPolicy };
  const answers = answersOf(options);
  const feed = liveFeed(options);
  return {
    listener(message, response) {
      const [path = ''] = (message.url ?? '').slice(PREFIX.length).split('?');
      if (path === 'live' && message.method === 'GET') return feed.serve(response, HEADERS);
      const asset = files.get(path);
      if (asset && message.method === 'GET') {
        return sendAsset(message, response, asset, path === '' ? { ...HEADERS, ...pageHeaders } : HEADERS);
      }
      const answer =
        message.method === 'POST' && Object.hasOwn(answers, path) ? answers[path as keyof Answers] : undefined;
      if (!answer) return sendJson(response, 404, { error: 'There is no such page.' });
      questionOf(message)
        .then(answer)
        .then(
          (found) => sendJson(response, 200, found),
          (error: Error) => sendJson(response, error instanceof WrongQuestion ? 400 : 502, { error: error.message }),
        );
    },
    close: () => feed.close(),
  };
}

function sendAsset(
  message: IncomingMessage,
  response: ServerResponse,
  { type, body, compressed, etag }: Asset,
  headers: Readonly<Record<string, string>>,
): void {
  const known = {
    ...headers,
    etag,
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
  };
  if (message.headers['if-none-match'] === etag) {
    response.writeHead(304, known).end();
    return;
  }
  const takesBrotli = /\bbr\b/.test(String(message.headers['accept-encoding'] ?? ''));
  const encoding = takesBrotli ? { 'content-encoding': 'br' } : {};
  response.writeHead(200, { ...known, ...encoding, 'content-type': type }).end(takesBrotli ? compressed : body);
}

function sendJson(response: ServerResponse, status: number, answer: unknown): void {
  const headers = { ...HEADERS, 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(JSON.stringify(answer));
}

/** The body as an object. JSON only: other sites can send any other type without being asked for leave. */
async function questionOf(message: IncomingMessage): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/.test(message.headers['content-type'] ?? '')) {
    throw new WrongQuestion('The question must be JSON, with content-type: application/json.');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes > QUESTION_BYTES_MAX) throw new WrongQuestion(`The question has more than ${QUESTION_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  try {
    const question: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (typeof question === 'object' && question !== null && !Array.isArray(question)) return { ...question };
  } catch {
    // What the engine says would quote the text.
  }
  throw new WrongQuestion('The question is no JSON object.');
}
