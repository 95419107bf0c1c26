/**
 * A local cloud in a process of its own, which a test may kill: takes its options as JSON, tells its endpoint, and
 * answers each message with what it has used of the machine.
 */
import { startCloud } from '../../../infra/local/cloud.ts';

/** CPU time of all threads so far, in milliseconds, and resident memory in MB. */
export interface Usage {
  readonly cpuMs: number;
  readonly residentMb: number;
}

const [options = ''] = process.argv.slice(2);
const { endpoint } = await startCloud(JSON.parse(options));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000, residentMb: process.memoryUsage.rss() / 2 ** 20 } satisfies Usage);
});
process.send?.(endpoint);
