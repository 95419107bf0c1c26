import { join } from 'node:path';
import { readJestReport } from './jest-report.ts';
import { peersSuite } from './peers-suite.ts';

/** Its tiers, by the names of its tests: everyday operations, the others, exact messages and limits. */
export const TIERS: readonly RegExp[] = [/^tests\/tier1\//, /^tests\/tier2\//, /^tests\/tier3\//];

/** nubo-db/dynamodb-conformance (MIT): what its authors recorded of AWS, in 601 tests. */
export const conformance = peersSuite('dynamodb-conformance', {
  repository: 'nubo-db/dynamodb-conformance',
  commit: '0ba4393668860db921afa5728feffe68b55e3e93',
  async run({ dir, run }, endpoint) {
    const report = join(dir, 'results.json');
    await run('npx', ['vitest', 'run', '--reporter=json', `--outputFile=${report}`], { DYNAMODB_ENDPOINT: endpoint });
    return readJestReport(report, dir);
  },
});
