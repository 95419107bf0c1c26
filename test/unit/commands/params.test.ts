import { expect, test } from 'vitest';
import { paramOption, paramsOf } from '../../../infra/commands/serving/params.ts';

const given = (...texts: string[]) =>
  texts.reduce<ReturnType<typeof paramsOf> | undefined>(
    (before, text) => paramOption().parseArg?.(text, before as never) as never,
    undefined,
  ) ?? {};

test('a param takes the place of the usual one, and may be repeated', () => {
  const params = paramsOf({ labelsThreshold: 400, coolDownSeconds: 0 }, given('labelsThreshold=100', 'gateFloor=0.6'));
  expect(params).toEqual({ labelsThreshold: '100', coolDownSeconds: 0, gateFloor: '0.6' });
});

test('a param that is misspelt or wrong is refused before anything starts', () => {
  expect(() => paramsOf({}, given('labelThreshold=1'))).toThrow(
    'there is no param labelThreshold: did you mean labelsThreshold?',
  );
  expect(() => paramsOf({}, given('labelsThreshold=few'))).toThrow('labelsThreshold is "few"; expected:');
  expect(() => given('labelsThreshold')).toThrow('--param: found "labelsThreshold", expected NAME=VALUE');
});
