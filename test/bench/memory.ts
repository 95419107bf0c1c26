import { ingestAgainst } from './batch-of-ingest.ts';
import { eventText } from './events.ts';
import { startAnsweringServer } from './processes.ts';

/** Batches one after the other: what the second adds to the first is what is not given back. */
const BATCHES = 3;

/**
 * What the largest batch needs: ingest is given it again and again, from its text on, with its real clients. Run apart,
 * under a limit of the heap, to find the smallest that holds.
 */
export async function memory() {
  const server = await startAnsweringServer();
  const ingest = ingestAgainst(server.endpoint);
  const text = eventText({ changesPerKey: 1 });
  const rssMegabytes: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    await ingest(JSON.parse(text));
    rssMegabytes.push(Math.round(process.memoryUsage().rss / 1e6));
  }
  server.close();
  return { rssMegabytes, peakRssMegabytes: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6) };
}
