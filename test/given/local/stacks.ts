import { loadStack, type Stack, type StackOptions } from '../../../infra/local/stack/stack.ts';

const stacks = new Map<string, Promise<Stack>>();

/** The stack of a definition and its params. Clouds of one test file share it: osls takes seconds to print it. */
export function stackOf(options: StackOptions): Promise<Stack> {
  const key = JSON.stringify(options);
  const stack = stacks.get(key) ?? loadStack(options);
  stacks.set(key, stack);
  return stack;
}
