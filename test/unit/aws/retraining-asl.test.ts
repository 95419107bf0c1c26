import { createRequire } from 'node:module';
import { describe, expect, it, test } from 'vitest';
import { snapshotDefinition } from '../../../infra/aws/retraining/snapshot-machine.ts';
import { retrainingDefinition } from '../../../infra/aws/retraining/state-machine.ts';

/** asl-validator comes without types. */
const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
  isValid: boolean;
  errors: unknown[];
};

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Choices?: readonly { readonly Next: string }[];
}

const definition = retrainingDefinition as {
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, State>>;
};
const states = Object.entries(definition.States);
const tasks = states.filter(([, state]) => state.Type === 'Task');

/** States in which the attempt is over, so that no failure may fail it. */
const CLEANING = ['FindAlarms', 'CleanUp', 'DeleteStaleAlarms'];

function nextOf(state: State): string[] {
  const ways = [...(state.Choices ?? []), ...(state.Catch ?? []), { Next: state.Next }, { Next: state.Default }];
  return ways.flatMap((way) => way.Next ?? []);
}

/** Every state a run can come to from `start`. */
function reachableFrom(start: string, seen = new Set<string>()): Set<string> {
  if (seen.has(start)) return seen;
  seen.add(start);
  for (const next of nextOf(definition.States[start] ?? { Type: 'missing' })) reachableFrom(next, seen);
  return seen;
}

test('the state machine of snapshots is valid in the Amazon States Language', () => {
  expect(validate(structuredClone(snapshotDefinition))).toMatchObject({ isValid: true, errors: [] });
});

describe('the retraining state machine', () => {
  // The validator writes defaults into what it is given, so it gets a copy.
  it('is valid in the Amazon States Language', () => {
    const { isValid, errors } = validate(structuredClone(retrainingDefinition));
    expect(errors).toEqual([]);
    expect(isValid).toBe(true);
  });

  it('goes to states that exist, and can reach all of them', () => {
    expect([...reachableFrom(definition.StartAt)].sort()).toEqual(states.map(([name]) => name).sort());
  });

  it('ends only after closing the epoch or failing the attempt, and cleans up after both', () => {
    const waysTo = (name: string) => states.filter(([, state]) => nextOf(state).includes(name)).map(([from]) => from);
    expect(waysTo('FindAlarms')).toEqual(['IsWorthTraining', 'RefuseChallenger', 'CloseEpoch', 'FailAttempt']);
    expect(waysTo('CleanUp')).toEqual(['FindAlarms']);
    expect(waysTo('HasFailed')).toEqual(['FindAlarms', 'CleanUp', 'HasStaleAlarms', 'DeleteStaleAlarms']);
    expect(waysTo('ConsiderNext')).toEqual(['HasFailed']);
    expect(waysTo('Retrained')).toEqual(['ConsiderNext']);
    expect(waysTo('NotRetrained')).toEqual(['FailAttempt', 'HasFailed']);
    expect(
      states.filter(([, { Type, End }]) => End || Type === 'Succeed' || Type === 'Fail').map(([name]) => name),
    ).toEqual(['Retrained', 'NotRetrained']);
  });

  it.each(tasks)('fails the attempt, unless it is over, whatever fails in %s', (name, task) => {
    const next = { FailAttempt: 'NotRetrained', ConsiderNext: 'Retrained' }[name];
    expect(task.Catch?.at(-1)).toMatchObject({
      ErrorEquals: ['States.ALL'],
      Next: next ?? (CLEANING.includes(name) ? 'HasFailed' : 'FailAttempt'),
    });
  });

  it('gives up each task before the execution itself would be ended, as that end reopens nothing', () => {
    for (const [name, task] of tasks) expect(task.TimeoutSeconds, name).toBeGreaterThan(0);
    const total = tasks.reduce((sum, [, task]) => sum + (task.TimeoutSeconds ?? 0), 0);
    expect(total).toBeLessThan(definition.TimeoutSeconds);
  });

  it('is written in JSONPath, with no state or field of JSONata', () => {
    expect(JSON.stringify(definition).match(/"(QueryLanguage|Arguments|Assign|Output)"|\{%/g)).toBeNull();
  });
});
