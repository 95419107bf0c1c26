import type { StackOptions } from '../../../infra/local/stack/configuration.ts';
import { loadStack, type Stack } from '../../../infra/local/stack/stack.ts';

const stacks = new Map<string, Promise<Stack>>();

/** The stack of a definition and its params. Clouds of one test file share it. */
export function stackOf(options: StackOptions): Promise<Stack> {
  const key = JSON.stringify(options);
  const stack = stacks.get(key) ?? loadStack(options);
  stacks.set(key, stack);
  return stack;
}
