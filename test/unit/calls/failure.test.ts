import { expect, test } from 'vitest';
import { describeError } from '../../../shared/calls/failure.ts';

const error = (name: string, message: string) => Object.assign(new Error(message), { name });

test.each([
  ['a refusal that quotes a value', error('ValidationError', "Value 'jane@example.org' failed"), 'ValidationError'],
  ['a text that could not be parsed', error('SyntaxError', '"Jane Roe" is not valid JSON'), 'SyntaxError'],
  ['something that is no error', 'jane@example.org', 'string'],
  [
    'a missing permission',
    error('AccessDeniedException', 'not authorized to perform: x'),
    'AccessDeniedException: not authorized to perform: x',
  ],
  ['a connection that is refused', new Error('connect ECONNREFUSED'), 'Error: connect ECONNREFUSED'],
])('%s is described without values', (_, it, expected) => {
  expect(describeError(it)).toBe(expected);
});
