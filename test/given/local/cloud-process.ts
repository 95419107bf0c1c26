/** A local cloud in a process of its own, which a test may kill: takes its options as JSON, and tells its endpoint. */
import { startCloud } from '../../../infra/local/cloud.ts';

const [options = ''] = process.argv.slice(2);
const { endpoint } = await startCloud(JSON.parse(options));
process.send?.(endpoint);
