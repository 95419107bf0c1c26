import * as z from 'zod';
import { matchesWildcard } from './wildcard.ts';

/** What a call needs: an action on a resource, in a context of condition keys. */
export interface Permission {
  readonly action: string;
  /** ARN, or `*` for the actions that know no resource. */
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
/** A template's booleans are values of conditions too. */
const values = z.union([z.union([z.string(), z.boolean()]).transform((it) => [String(it)]), z.array(z.string())]);

type Test = (expected: string, found: string) => boolean;

/** Condition operators that are understood. Source: IAM, condition operators. */
const OPERATORS: Readonly<Record<string, Test>> = {
  StringEquals: (expected, found) => expected === found,
  StringLike: matchesWildcard,
  ArnEquals: matchesWildcard,
  ArnLike: matchesWildcard,
  Bool: (expected, found) => expected.toLowerCase() === found.toLowerCase(),
};

/** Like the others, save that no value may match. An absent key has none. */
const NEGATED: Readonly<Record<string, Test>> = {
  StringNotEquals: (expected, found) => expected === found,
  StringNotLike: matchesWildcard,
  ArnNotLike: matchesWildcard,
};

const conditionSchema = z
  .record(z.string(), z.record(z.string(), values))
  .refine(
    (condition) => Object.keys(condition).every((it) => Object.hasOwn(OPERATORS, it) || Object.hasOwn(NEGATED, it)),
    {
      error: `the local cloud evaluates the condition operators ${[...Object.keys(OPERATORS), ...Object.keys(NEGATED)].join(', ')}; add others in infra/local/iam/policy.ts`,
    },
  );

/** A statement of an identity-based policy. Strict: a part that is not evaluated here must not be ignored. */
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: texts,
  Condition: conditionSchema.default({}),
});
export type Statement = z.output<typeof statementSchema>;

const documentSchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.union([statementSchema.transform((it) => [it]), z.array(statementSchema)]),
});

/** @throws Error naming what a policy has that is not evaluated here. */
export function statementsOf(document: unknown, where: string): Statement[] {
  const parsed = documentSchema.safeParse(document);
  if (parsed.success) return parsed.data.Statement;
  throw new Error(`${where} has a policy that the local cloud cannot evaluate:\n${z.prettifyError(parsed.error)}`);
}

/**
 * IAM's decision over a role's own policies: an explicit deny wins, then an allow, and what nobody allows is denied.
 * Source: IAM, policy evaluation logic within one account.
 */
export function decide(statements: readonly Statement[], permission: Permission): 'allowed' | 'denied' | 'not allowed' {
  const applying = statements.filter((statement) => applies(statement, permission));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'not allowed';
}

function applies({ Action, Resource, Condition }: Statement, { action, resource, context = {} }: Permission): boolean {
  return (
    // Actions, unlike resources, are the same in either case.
    Action.some((pattern) => matchesWildcard(pattern.toLowerCase(), action.toLowerCase())) &&
    Resource.some((pattern) => matchesWildcard(pattern, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, expected]) => holds(operator, expected, context[key])),
    )
  );
}

function holds(operator: string, expected: readonly string[], found: string | undefined): boolean {
  const negated = NEGATED[operator];
  if (negated) return found === undefined || !expected.some((it) => negated(it, found));
  const test = OPERATORS[operator];
  return found !== undefined && test !== undefined && expected.some((it) => test(it, found));
}
