/**
 * A local cloud in a process of its own, which a test may kill: takes its options as the first message, tells its
 * endpoint, and answers each later message with what it has used of the machine.
 */
import { once } from 'node:events';
import { type CloudOptions, startCloud } from '../../../infra/local/cloud.ts';

/** CPU time of all threads so far, in milliseconds, and resident memory in MB. */
export interface Usage {
  readonly cpuMs: number;
  readonly residentMb: number;
}

// By message: a stack is longer than Linux lets one argument be (128 KiB).
const [options] = (await once(process, 'message')) as [CloudOptions];
const { endpoint } = await startCloud(options);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000, residentMb: process.memoryUsage.rss() / 2 ** 20 } satisfies Usage);
});
process.send?.(endpoint);
