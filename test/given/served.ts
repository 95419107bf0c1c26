import { Faults } from '../../infra/local/protocol/faults.ts';
import { serve } from '../../infra/local/protocol/server.ts';
import type { Service } from '../../infra/local/protocol/service.ts';

/** Services behind a real port, and the configuration of SDK clients that reach them. Retries are off: a test sees each answer. */
export async function served(services: readonly Service[], faults = new Faults()) {
  const { server, port } = await serve(services, faults, 0);
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    client: {
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    },
    async close(): Promise<void> {
      for (const service of services) await service.close?.();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
