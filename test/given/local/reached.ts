import { vi } from 'vitest';

/** Has clients and commands of this process reach a local cloud, as a user's shell does. */
export function reachCloud({ endpoint }: { readonly endpoint: string }): void {
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
}
