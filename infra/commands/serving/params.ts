import { readFileSync } from 'node:fs';
import { Option } from '@commander-js/extra-typings';
import { parse } from 'yaml';
import { paramProblems } from '../../aws/checks/params.ts';

/** Values of `params` of serverless.yml, by name. */
export type Params = Readonly<Record<string, string | number>>;

export const paramOption = () =>
  new Option(
    '--param <NAME=VALUE>',
    'parameter of serverless.yml, such as labelsThreshold=100; may be given again and again',
  ).argParser(addParam);

/** Reads one `NAME=VALUE` more. @throws Error when it has no name. */
function addParam(text: string, before: Params | undefined = {}): Params {
  const [, name, value = ''] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined) return { ...before, [name]: value };
  throw new Error(`--param: found "${text}", expected NAME=VALUE, such as labelsThreshold=100.`);
}

/** Values of params, the given ones before the usual ones. @throws Error naming each that is wrong, and what is expected. */
export function paramsOf(usual: Params, given: Params): Params {
  const file = new URL('../../../serverless.yml', import.meta.url);
  const { params } = parse(readFileSync(file, 'utf8'), { logLevel: 'silent' }) as { params: { default: object } };
  const problems = paramProblems(given, Object.keys(params.default));
  if (problems.length > 0) throw new Error(`--param: ${problems.join('; ')}.`);
  return { ...usual, ...given };
}
