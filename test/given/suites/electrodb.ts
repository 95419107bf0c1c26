import { HANGS_MS, peersSuite, type Tested } from './peers-suite.ts';

/**
 * Failures that say nothing. One test expects attributes in the order of DynamoDB Local, which AWS promises nowhere; one
 * expects the full stop of DynamoDB Local after "The conditional request failed"; one expects the words of DynamoDB
 * Local for a Limit below 1; and its own limits of time are for an idle machine.
 */
const SAYING_NOTHING = [
  /transactWrite should perform transaction operation/,
  /Should trigger the setter of a watcher because the attribute being watched is supplied regardless/,
  /should throw if 'limit' option is less than one or not a valid number/,
  /Timeout of \d+ms exceeded/,
];

/** Whether a failure says that AWS would answer otherwise. */
export function saysSomething({ name, problem }: Tested): boolean {
  return problem !== undefined && !SAYING_NOTHING.some((known) => known.test(`${name}: ${problem}`));
}

/** The part of ElectroDB's suite that calls DynamoDB, as its authors run it against DynamoDB Local. */
export const electroDb = peersSuite('ElectroDB', {
  repository: 'tywalch/electrodb',
  commit: '0ceff2015d85eae80b8eb951af7a706540b42fa2',
  without: ['aws-cdk-lib', 'browserify', 'coveralls', 'jest', 'nyc', 'sst', 'tsd', 'prettier', 'prettier-plugin-astro'],
  async run({ run }, endpoint) {
    const env = { LOCAL_DYNAMO_ENDPOINT: endpoint, TS_NODE_TRANSPILE_ONLY: 'true' };
    await run('node', ['test/init.js', '--recreate'], env);
    const glob = ['-r', 'ts-node/register', '--timeout', HANGS_MS, 'test/*connected*.spec.*'];
    const printed = await run('npx', ['mocha', ...glob, '--reporter', 'json'], env);
    // Tests print, too, before the report.
    const report = JSON.parse(printed.slice(printed.lastIndexOf('\n{\n  "stats"') + 1)) as {
      readonly passes: readonly { readonly fullTitle: string }[];
      readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
    };
    return [
      ...report.passes.map(({ fullTitle }) => ({ name: fullTitle })),
      ...report.failures.map(({ fullTitle, err }) => ({
        name: fullTitle,
        problem: err.message?.split('\n')[0] ?? 'failed',
      })),
    ];
  },
});
