import type { Context } from 'aws-lambda';
import { type IngestDependencies, makeIngest } from '../../../functions/ingest.ts';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { deliveryClients } from '../../../shared/delivery/destinations.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import type { FenceForm } from '../../../shared/state/fences/forms.ts';

const context: Pick<Context, 'getRemainingTimeInMillis'> = { getRemainingTimeInMillis: () => 120_000 };

/** Ingest with its real clients, pointed at a server that answers every call as done. */
export function ingestAgainst(
  endpoint: string,
  fences: FenceForm = 'pages',
): (event: { Records: unknown[] }) => Promise<unknown> {
  process.env.AWS_ENDPOINT_URL = endpoint;
  process.env.AWS_REGION = 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID = 'local';
  process.env.AWS_SECRET_ACCESS_KEY = 'local';
  const dependencies: IngestDependencies = {
    config: {
      featureGroup: bankMarketing.name,
      stateTable: 'state',
      changeLogStream: 'change-log',
      quarantineBucket: 'quarantine',
      hazardWindowSeconds: 1,
      featureStoreConcurrency: 16,
      featureStoreWriter: 'sdk',
      fences,
    },
    group: bankMarketing,
    clients: deliveryClients({ featureStoreWriter: 'direct' }),
    putObject: () => Promise.reject(new Error('nothing is to be quarantined')),
    time: systemTime,
    report({ failures }) {
      if (failures.length > 0) throw new Error(failures[0]?.message);
    },
  };
  const ingest = makeIngest(dependencies);
  return (event) => ingest(event, context);
}
