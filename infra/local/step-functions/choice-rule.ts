import { notImplemented } from '../protocol/aws-error.ts';

type Rule = Readonly<Record<string, unknown>>;

/** Type tests that comparisons imply: a comparison of a value of another type is false in AWS, and not an error. */
const TYPE_TESTS: readonly (readonly [comparison: RegExp, test: string])[] = [
  [/^Numeric(Less|Greater)/, 'IsNumeric'],
  [/^String(Less|Greater|Matches)/, 'IsString'],
  [/^Timestamp/, 'IsTimestamp'],
];

/**
 * A choice rule that the interpreter decides as AWS does. By itself it takes "10" for a number, and holds every type
 * test that asks for `false` (`IsPresent: false`) to be false.
 *
 * @throws AwsError NotImplementedException for a pattern in which the interpreter sees more wildcards than `*`.
 */
export function choiceAsInAws(place: string, rule: Rule): Rule {
  const { Next, Comment, ...condition } = rule;
  return { ...conditionAsInAws(place, condition), ...(Next !== undefined && { Next }) };
}

function conditionAsInAws(place: string, condition: Rule): Rule {
  const inner = (rules: unknown) => (rules as Rule[]).map((rule) => conditionAsInAws(place, rule));
  if ('And' in condition) return { And: inner(condition.And) };
  if ('Or' in condition) return { Or: inner(condition.Or) };
  if ('Not' in condition) return { Not: conditionAsInAws(place, condition.Not as Rule) };
  const { Variable, Comment, ...test } = condition;
  const [operator = '', expected] = Object.entries(test)[0] ?? [];
  if (/^Is[A-Z]/.test(operator) && expected === false) return { Not: { Variable, [operator]: true } };
  if (operator === 'StringMatches' && /[?[\]{}()!+@\\]|\*\*/.test(String(expected))) {
    throw notImplemented('Step Functions', `the pattern ${expected} of StringMatches (${place})`);
  }
  const typeTest = TYPE_TESTS.find(([comparison]) => comparison.test(operator))?.[1];
  const comparison = { Variable, [operator]: expected };
  return typeTest ? { And: [{ Variable, [typeTest]: true }, comparison] } : comparison;
}
