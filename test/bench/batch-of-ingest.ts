import type { IngestDependencies } from '../../functions/ingest.ts';
import { systemTime } from '../../shared/destinations.ts';
import bankMarketing from '../../shared/feature-groups/bank-marketing.ts';
import { deliveryClients } from '../../shared/destinations.ts';

/** What ingest stands on, with its real clients, pointed at a server that answers everything as done. */
export function ingestAgainst(endpoint: string): IngestDependencies {
  process.env.AWS_ENDPOINT_URL = endpoint;
  process.env.AWS_REGION = 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID = 'local';
  process.env.AWS_SECRET_ACCESS_KEY = 'local';
  return {
    config: {
      featureGroup: bankMarketing.name,
      stateTable: 'state',
      changeLogStream: 'change-log',
      quarantineBucket: 'quarantine',
      hazardWindowSeconds: 1,
      featureStoreConcurrency: 16,
    },
    group: bankMarketing,
    clients: deliveryClients({ featureStoreWriter: 'direct' }),
    time: systemTime,
    report({ failures }) {
      if (failures.length > 0) throw new Error(failures[0]?.message);
    },
  };
}
