import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AwsError } from '../../../../infra/local/protocol/aws-error.ts';
import { localStepFunctions, MACHINE, machine, pass } from '../../../given/local/step-functions.ts';

const ROLE = 'arn:aws:iam::000000000000:role/training';

let states: Awaited<ReturnType<typeof localStepFunctions>>;

beforeEach(async () => {
  states = await localStepFunctions();
});
afterEach(() => states.close());

describe('the language', () => {
  test('has the intrinsic functions and the context object', async () => {
    const definition = pass({
      'number.$': 'States.StringToJson($.text)',
      'sentence.$': "States.Format('{} of {}, {}', $.name, 3, true)",
      'sum.$': 'States.MathAdd($.n, -1)',
      'execution.$': '$$.Execution.Name',
      'machine.$': '$$.StateMachine.Id',
      'input.$': '$$.Execution.Input.n',
      'second.$': 'States.ArrayGetItem($.list, 1)',
      'matching.$': "$.list[?(@.kind == 'b')].value",
    });
    const input = { text: '0.875', name: 'a', n: 5, list: [{ kind: 'a' }, { kind: 'b', value: 7 }] };
    states.createStateMachine(definition);
    const { output } = await states.ended(await states.start(input, 'named'));
    expect(JSON.parse(output ?? '')).toEqual({
      ...{ number: 0.875, sentence: 'a of 3, true', sum: 4, execution: 'named', machine: MACHINE, input: 5 },
      ...{ second: { kind: 'b', value: 7 }, matching: [7] },
    });
  });

  test.each([
    [{ Variable: '$.a', NumericGreaterThanEquals: 10 }, { a: 10 }, true],
    [{ Variable: '$.a', NumericGreaterThanEquals: 10 }, { a: '11' }, false],
    [{ Variable: '$.a', StringEqualsPath: '$.b' }, { a: 'x', b: 'x' }, true],
    [{ Variable: '$.a', StringEqualsPath: '$.b' }, { a: 'x', b: 'y' }, false],
    [{ Variable: '$.a', IsPresent: false }, {}, true],
    [{ Variable: '$.a', IsPresent: false }, { a: 1 }, false],
    [{ Variable: '$.a', IsNull: false }, { a: 1 }, true],
    [{ Variable: '$.a', StringMatches: 'Endpoint *' }, { a: 'Endpoint x' }, true],
    [{ Variable: '$.a', StringMatches: 'Endpoint *' }, { a: 5 }, false],
    [{ Not: { Variable: '$.a', IsString: false } }, { a: 'x' }, true],
    [
      {
        And: [
          { Variable: '$.a', IsNumeric: true },
          {
            Or: [
              { Variable: '$.a', NumericLessThan: 0 },
              { Variable: '$.a', NumericEquals: 3 },
            ],
          },
        ],
      },
      { a: 3 },
      true,
    ],
  ])('decides choices as AWS does: %j of %j is %j', async (rule, input, expected) => {
    const definition = machine('Choice', {
      Choice: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { Type: 'Pass', Result: { chosen: true }, End: true },
      No: { Type: 'Pass', Result: { chosen: false, why: 'default' }, End: true },
    });
    expect((await states.run(definition, input)).result.chosen).toBe(expected);
  });

  test('waits as many seconds as the input says', async () => {
    const definition = machine('Wait', { Wait: { Type: 'Wait', SecondsPath: '$.seconds', End: true } });
    const began = Date.now();
    expect((await states.run(definition, { seconds: 1 })).status).toBe('SUCCEEDED');
    expect(Date.now() - began).toBeGreaterThanOrEqual(990);
  });

  test('replaces the whole by ResultPath $, and keeps the input by null', async () => {
    const definition = (ResultPath: string | null) =>
      machine('Pass', { Pass: { Type: 'Pass', Result: { b: 2 }, ResultPath, End: true } });
    expect((await states.run(definition('$'), { a: 1 })).result).toEqual({ b: 2 });
    expect((await states.run(definition('$.deep.er'), { a: 1 })).result).toEqual({ a: 1, deep: { er: { b: 2 } } });
    expect((await states.run(definition(null), { a: 1 })).result).toEqual({ a: 1 });
  });

  test('fails with the error and cause of a Fail state', async () => {
    const fail = { Type: 'Fail', ErrorPath: '$.error', CausePath: '$.cause' };
    const execution = await states.run(machine('Fail', { Fail: fail }), { error: 'Bad', cause: 'luck' });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'luck' });
    const nameless = await states.run(machine('Fail', { Fail: { Type: 'Fail' } }));
    expect(nameless.status).toBe('FAILED');
    expect(nameless.error).toBeUndefined();
  });

  test('fails with States.Runtime when a path leads nowhere', async () => {
    const definition = pass({ 'a.$': '$.none' });
    expect(await states.run(definition)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  const task = (fields: object) => ({ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true, ...fields });
  test.each([
    ['JSONata', machine('A', { A: { Type: 'Pass', End: true } }, { QueryLanguage: 'JSONata' })],
    ['JSONata in a state', machine('A', { A: { Type: 'Pass', QueryLanguage: 'JSONata', End: true } })],
    ['assigned variables', machine('A', { A: { Type: 'Pass', Assign: { x: 1 }, End: true } })],
    ['variables', pass({ 'a.$': '$x' })],
    ['variables in an intrinsic function', pass({ 'a.$': 'States.MathAdd($.n, $x)' })],
    ['state context', pass({ 'a.$': '$$.State.Name' })],
    ['the whole context', pass({ 'a.$': '$$' })],
    ['task tokens', machine('A', { A: task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }) })],
    ['other state machines', machine('A', { A: task({ Resource: 'arn:aws:states:::states:startExecution.sync' }) })],
    ['other services', machine('A', { A: task({ Resource: 'arn:aws:states:::aws-sdk:ec2:runInstances' }) })],
    ['heartbeats', machine('A', { A: task({ HeartbeatSeconds: 5 }) })],
    ['credentials', machine('A', { A: task({ Credentials: { RoleArn: ROLE } }) })],
    ['odd result paths', machine('A', { A: task({ ResultPath: "$['a']" }) })],
    ['falsy results', machine('A', { A: { Type: 'Pass', Result: 0, End: true } })],
    ['parallel states', machine('A', { A: { Type: 'Parallel', Branches: [pass({})], End: true } })],
  ])('refuses %s, rather than ignore it', (_, definition) => {
    expect(() => states.createStateMachine(definition)).toThrow(AwsError);
  });

  test('refuses a definition that is not valid, every time', () => {
    const lost = machine('A', { A: { Type: 'Pass', Next: 'B' } });
    for (const _ of [1, 2]) {
      expect(() => states.createStateMachine(lost)).toThrow('Invalid State Machine Definition');
    }
  });
});
