import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Tested } from './peers-suite.ts';

interface Report {
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** Tests of a report in Jest's JSON, which Vitest writes, too. What its authors leave out is not among them. */
export async function readJestReport(file: string, dir: string): Promise<readonly Tested[]> {
  const { testResults } = JSON.parse(await readFile(file, 'utf8')) as Report;
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(({ status, fullName, failureMessages: [problem] = [] }) => ({
        name: `${relative(dir, name)}: ${fullName}`,
        ...(status === 'failed' && { problem: problem?.split('\n')[0] ?? status }),
      })),
  );
}
