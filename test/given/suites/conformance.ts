import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peersSuite } from './peers-suite.ts';

interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** Its tiers, by the names of its tests: everyday operations, the others, exact messages and limits. */
export const TIERS: readonly RegExp[] = [/tests\/tier1\//, /tests\/tier2\//, /tests\/tier3\//];

/** nubo-db/dynamodb-conformance (MIT): what its authors recorded of AWS, in 601 tests. */
export const conformance = peersSuite('dynamodb-conformance', {
  repository: 'nubo-db/dynamodb-conformance',
  commit: '0ba4393668860db921afa5728feffe68b55e3e93',
  async run({ dir, run }, endpoint) {
    const report = join(dir, 'results.json');
    await run('npx', ['vitest', 'run', '--reporter=json', `--outputFile=${report}`], { DYNAMODB_ENDPOINT: endpoint });
    const { testResults } = JSON.parse(await readFile(report, 'utf8')) as Results;
    return testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults.map(({ status, fullName, failureMessages: [problem] = [] }) => ({
        name: `${file}: ${fullName}`,
        ...(status !== 'passed' && { problem: problem?.split('\n')[0] ?? status }),
      })),
    );
  },
});
