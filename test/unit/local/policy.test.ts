import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dataPermissions } from '../../../infra/local/iam/data-permissions.ts';
import { modelPermissions } from '../../../infra/local/iam/model-permissions.ts';
import { decide, statementsOf } from '../../../infra/local/iam/policy.ts';
import { matchesWildcard } from '../../../infra/local/iam/wildcard.ts';

const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const allow = (Action: string | string[], Resource: string | string[], Condition?: object) => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...(Condition && { Condition }),
});
const decision = (statements: object[], action: string, resource: string, context: Record<string, string> = {}) =>
  decide(statementsOf(document(...statements), 'role'), { action, resource, context });

describe('a pattern', () => {
  test.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*c', 'abcd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a*b*c', 'a-b-b-c', true],
    ['arn:aws:s3:::bucket/models/*', 'arn:aws:s3:::bucket/models/x/y', true],
    ['arn:aws:s3:::bucket/models/*', 'arn:aws:s3:::bucket/models', false],
    ['a.c', 'abc', false],
  ])('%s of %s: %s', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });

  test('means what the regular expression it stands for means', () => {
    const characters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(characters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesWildcard(pattern, text)).toBe(expression.test(text));
      }),
    );
  });

  test('of many stars takes no more than the product of the lengths', () => {
    expect(matchesWildcard('a*'.repeat(500), `${'a'.repeat(50_000)}b!`.replace('b', ''))).toBe(true);
    expect(matchesWildcard(`${'a*'.repeat(500)}x`, 'a'.repeat(50_000))).toBe(false);
  });
});

describe('a decision', () => {
  test('allows what a statement names, and nothing else', () => {
    const statements = [allow(['s3:GetObject'], ['arn:aws:s3:::b/models/*'])];
    expect(decision(statements, 's3:GetObject', 'arn:aws:s3:::b/models/m')).toBe('allowed');
    expect(decision(statements, 'S3:getobject', 'arn:aws:s3:::b/models/m')).toBe('allowed');
    expect(decision(statements, 's3:PutObject', 'arn:aws:s3:::b/models/m')).toBe('not allowed');
    expect(decision(statements, 's3:GetObject', 'arn:aws:s3:::b/Models/m')).toBe('not allowed');
    expect(decision([], 's3:GetObject', 'arn:aws:s3:::b/models/m')).toBe('not allowed');
  });

  test('an explicit deny wins over any allow', () => {
    const statements = [allow('s3:*', '*'), { Effect: 'Deny', Action: 's3:Delete*', Resource: '*' }];
    expect(decision(statements, 's3:DeleteObject', 'arn:aws:s3:::b/k')).toBe('denied');
    expect(decision(statements, 's3:GetObject', 'arn:aws:s3:::b/k')).toBe('allowed');
  });

  test.each([
    ['StringEquals', 'sagemaker.amazonaws.com', 'allowed'],
    ['StringEquals', 'lambda.amazonaws.com', 'not allowed'],
    ['StringLike', 'sagemaker.*', 'allowed'],
    ['StringNotEquals', 'sagemaker.amazonaws.com', 'not allowed'],
    ['StringNotEquals', 'lambda.amazonaws.com', 'allowed'],
    ['ArnLike', 'sage*', 'allowed'],
  ])('%s %s: %s', (operator, value, expected) => {
    const statements = [allow('iam:PassRole', '*', { [operator]: { 'iam:PassedToService': value } })];
    const context = { 'iam:PassedToService': 'sagemaker.amazonaws.com' };
    expect(decision(statements, 'iam:PassRole', 'arn:aws:iam::1:role/r', context)).toBe(expected);
  });

  test('a key that the call does not have meets no condition', () => {
    const statements = [allow('iam:PassRole', '*', { StringEquals: { 'iam:PassedToService': 'x' } })];
    expect(decision(statements, 'iam:PassRole', 'arn:aws:iam::1:role/r')).toBe('not allowed');
  });

  test('every condition has to be met, by any of its values', () => {
    const condition = { StringEquals: { a: ['1', '2'], b: '3' }, Bool: { c: true } };
    const statements = [allow('x:y', '*', condition)];
    expect(decision(statements, 'x:y', 'r', { a: '2', b: '3', c: 'true' })).toBe('allowed');
    expect(decision(statements, 'x:y', 'r', { a: '2', b: '3', c: 'false' })).toBe('not allowed');
    expect(decision(statements, 'x:y', 'r', { a: '4', b: '3', c: 'true' })).toBe('not allowed');
  });
});

test.each([
  ['an operator', allow('a:b', '*', { NumericLessThan: { x: '1' } })],
  ['NotAction', { Effect: 'Allow', NotAction: 'a:b', Resource: '*' }],
  ['NotResource', { Effect: 'Allow', Action: 'a:b', NotResource: '*' }],
  ['a principal', { ...allow('a:b', '*'), Principal: '*' }],
])('a policy with %s that is not evaluated is refused, not ignored', (_, statement) => {
  expect(() => statementsOf(document(statement), 'TheRole')).toThrow(/TheRole has a policy .* cannot evaluate/s);
});

/** CodeDeploy's answer is not called here: there is no deployment. */
const NOT_HERE = ['PutLifecycleEventHookExecutionStatus'];

test('every operation that the functions call has a row of the rights it needs', () => {
  const sources = ['functions', 'shared'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.name.endsWith('.ts'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
  );
  const called = new Set(
    sources.flatMap((text) => [...text.matchAll(/new (\w+)Command\(|paginate(List\w+)/g)].map((it) => it[1] ?? it[2])),
  );
  expect(called.size).toBeGreaterThan(15);
  const rows = Object.values({ ...dataPermissions, ...modelPermissions }).flatMap((it) => Object.keys(it));
  expect([...called].filter((it) => !rows.includes(it ?? '') && !NOT_HERE.includes(it ?? ''))).toEqual([]);
});
