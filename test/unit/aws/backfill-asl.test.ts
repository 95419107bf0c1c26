import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { backfillDefinition } from '../../../infra/aws/history/backfill.ts';

/** asl-validator comes without types. */
const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
  isValid: boolean;
  errors: unknown[];
};

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly TimeoutSeconds?: number;
  readonly Parameters?: { readonly Payload: { readonly action: string } };
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
  readonly Catch?: readonly { readonly Next: string }[];
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Result?: object;
  readonly End?: boolean;
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}

const definition = backfillDefinition as { readonly StartAt: string; readonly States: Record<string, State> };
const states = Object.entries(definition.States);
const children = Object.entries(definition.States.WorkFiles?.ItemProcessor?.States ?? {});
const tasks = [...states, ...children].filter(([, { Type }]) => Type === 'Task');

const nextOf = ({ Choices = [], Catch = [], Next, Default }: State): string[] =>
  [...[...Choices, ...Catch].map((it) => it.Next), Next, Default].filter((it) => it !== undefined);

/** Every state that one comes to from `from`, without one of them. */
function reached(from: string, without?: string, seen = new Set<string>()): Set<string> {
  if (from === without || seen.has(from)) return seen;
  seen.add(from);
  for (const next of nextOf(definition.States[from] ?? { Type: 'missing' })) reached(next, without, seen);
  return seen;
}

describe('the state machine of a backfill', () => {
  it('is valid in the Amazon States Language', () => {
    expect(validate(structuredClone(backfillDefinition))).toMatchObject({ isValid: true, errors: [] });
  });

  it('goes to states that exist, and can reach all of them', () => {
    expect([...reached(definition.StartAt)].sort()).toEqual(states.map(([name]) => name).sort());
  });

  it('has every call of the function end in a time, and be made again', () => {
    expect(tasks.filter(([, it]) => it.TimeoutSeconds === undefined).map(([name]) => name)).toEqual([]);
    expect(tasks.filter(([, it]) => (it.Retry?.at(-1)?.MaxAttempts ?? 0) < 6).map(([name]) => name)).toEqual([]);
  });

  it('waits for every call longer than the function goes on', () => {
    const long = tasks.filter(([, it]) => /list|work|end/.test(it.Parameters?.Payload.action ?? ''));
    expect(long.map(([, it]) => it.TimeoutSeconds)).toEqual(long.map(() => 930));
  });

  it('leaves the backfill to the next, wherever it fails once it has begun', () => {
    const failing = states.filter(([name, { Type }]) => /Task|Map/.test(Type) && !/^(Begin|Leave)$/.test(name));
    expect(failing.map(([, { Catch }]) => Catch?.map(({ Next }) => Next))).toEqual(failing.map(() => ['Leave']));
  });

  it('has no file say anything when it is through: outputs of all may have 256 KB together', () => {
    const ends = children.filter(([, { Type, End }]) => Type === 'Succeed' || End);
    expect(ends.map(([, { Type, Result }]) => [Type, Result])).toEqual([['Pass', {}]]);
  });

  it('lists again after each list that is worked, and sweeps only when nothing is left', () => {
    expect(definition.States.WorkFiles?.Next).toBe('List');
    expect([...reached(definition.StartAt, 'WaitForLatePuts')]).not.toContain('End');
    expect([...reached(definition.StartAt, 'List')]).not.toContain('WaitForLatePuts');
  });
});
