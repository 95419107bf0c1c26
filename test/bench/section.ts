import { coldStart } from './cold-start.ts';
import { firehose } from './firehose.ts';
import { growth } from './growth.ts';
import { coalescing, hotPath } from './hot-path.ts';
import { memory } from './memory.ts';
import { onlineWrite } from './online-write.ts';
import { predictLatency } from './predict-latency.ts';

/** One section of the benchmark in a process of its own: `section.ts '["hotPath", {"quick": true}]'`, JSON out. */

const sections = {
  hotPath,
  coalescing,
  firehose,
  onlineWrite,
  coldStart,
  predictLatency,
  memory,
  growth,
};

const [name, options] = JSON.parse(process.argv[2] ?? '[]') as [keyof typeof sections, { quick: boolean }];
const result = await sections[name](options);
process.stdout.write(`\n${JSON.stringify(result)}\n`);
process.exit();
