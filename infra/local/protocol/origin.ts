import { AwsError } from './aws-error.ts';
import type { WireRequest } from './service.ts';

/** Names of this machine to itself, and S3's virtual-host form `bucket.localhost`. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.localhost)$/i;

/** Longest Host that is looked at: a bucket's 63 characters, `.localhost` and a port. */
const HOST_LENGTH_MAX = 80;

/** Port of HTTP when a Host names none. */
const DEFAULT_PORT = '80';

/**
 * Refuses what a web page of somebody else's could send while its reader has the local cloud running: no signature
 * is checked here, so the browser's own words have to tell.
 *
 * - `Host` must be a loopback name with the port that listens: a foreign name that was made to resolve to 127.0.0.1
 *   (DNS rebinding) still says its own name.
 * - `Origin`, when there is one, must be that same host: forms and `fetch` of other pages bear theirs, or `null`.
 * - `Sec-Fetch-Site`, when there is one, must be `same-origin` or `none`: a link that is typed or opened by a program
 *   is `none`, one that another page embeds or points to is not.
 *
 * SDKs, the AWS CLI and curl send the first alone.
 *
 * @throws AwsError AccessDenied, 403
 */
export function refuseForeign(headers: WireRequest['headers'], port: number): void {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  const [name = '', hostPort = DEFAULT_PORT] = host.length > HOST_LENGTH_MAX ? [] : host.split(':');
  if (!LOOPBACK.test(name) || hostPort !== String(port)) {
    throw refusal(`the host ${JSON.stringify(host.slice(0, HOST_LENGTH_MAX))}`);
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    throw refusal(`a page of ${JSON.stringify(origin.slice(0, HOST_LENGTH_MAX))}`);
  }
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw refusal(`a page of another site (Sec-Fetch-Site: ${site.slice(0, HOST_LENGTH_MAX)})`);
  }
}

function refusal(from: string): AwsError {
  return new AwsError(
    'AccessDenied',
    `The local cloud takes no request for or from ${from}. Call it as http://127.0.0.1 or http://localhost with its own port, from a program or from its own pages.`,
    403,
  );
}
