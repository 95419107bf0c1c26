import { backfill } from '../sections/backfill.ts';
import { coldStart } from '../sections/cold-start.ts';
import { fences } from '../sections/fences.ts';
import { firehose } from '../sections/firehose.ts';
import { growth } from '../sections/growth.ts';
import { coalescing, hotPath } from '../sections/hot-path.ts';
import { invocation } from '../sections/invocation.ts';
import { memory } from '../sections/memory.ts';
import { onlineWrite } from '../sections/online-write.ts';
import { predictLatency } from '../sections/predict-latency.ts';

/** One section of the benchmark in a process of its own: `section.ts '["hotPath", {"quick": true}]'`, JSON out. */

const sections = {
  hotPath,
  coalescing,
  firehose,
  onlineWrite,
  invocation,
  fences,
  coldStart,
  predictLatency,
  memory,
  growth,
  backfill,
};

const [name, options] = JSON.parse(process.argv[2] ?? '[]') as [keyof typeof sections, { quick: boolean }];
const result = await sections[name](options);
process.stdout.write(`\n${JSON.stringify(result)}\n`);
process.exit();
