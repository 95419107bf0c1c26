import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Table } from '../../catalog.ts';
import type { Context } from '../context.ts';
import { expression } from '../expression.ts';
import type { Expr } from '../values/expr.ts';
import type { Condition, Scan } from './relation.ts';

const OPERATORS: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/**
 * Conditions on a table's partition keys in a WHERE: those that compare one with a literal and are joined by AND. Any
 * other leaves nothing out: DuckDB, which has the whole query, does later.
 */
export function partitionConditions(where: ParserRuleContext, table: Table, context: Context): Condition[] {
  const keys = new Map<string, string>();
  for (const { name, type } of table.partitionKeys) {
    const field = context.scope.fields.find((it) => it.name === name && it.sql !== '');
    if (field && type === 'string') keys.set(field.sql, name);
  }
  if (keys.size === 0) return [];
  return conjuncts(where).flatMap((it) => conditionOf(it, keys, context));
}

function conjuncts(ctx: ParserRuleContext): ParserRuleContext[] {
  if (ctx.constructor.name === 'AndContext') return (ctx as Trino.AndContext).booleanExpression().flatMap(conjuncts);
  const only = ctx.getChildCount() === 1 ? ctx.getChild(0) : undefined;
  if (ctx.constructor.name === 'ParenthesizedExpressionContext')
    return conjuncts((ctx as Trino.ParenthesizedExpressionContext).expression());
  return only && 'start' in only ? conjuncts(only as ParserRuleContext) : [ctx];
}

function conditionOf(ctx: ParserRuleContext, keys: ReadonlyMap<string, string>, context: Context): Condition[] {
  if (ctx.constructor.name !== 'PredicatedContext') return [];
  const predicated = ctx as Trino.PredicatedContext;
  const predicate = predicated.predicate();
  if (!predicate || !isName(predicated.valueExpression())) return [];
  const key = keys.get(expression(predicated.valueExpression(), context).sql);
  if (key === undefined) return [];
  switch (predicate.constructor.name) {
    case 'ComparisonContext': {
      const { comparisonOperator, valueExpression } = predicate as Trino.ComparisonContext;
      const operator = comparisonOperator.call(predicate).getText();
      const value = literalOf(valueExpression.call(predicate), context);
      return value === undefined || !(operator in OPERATORS) ? [] : [{ key, operator, values: [value] }];
    }
    case 'InListContext': {
      const list = predicate as Trino.InListContext;
      const values = list.expression().map((it) => literalOf(it, context));
      if (list.KW_NOT() || values.some((it) => it === undefined)) return [];
      return [{ key, operator: '=', values: values as string[] }];
    }
    default:
      return [];
  }
}

/** A name, which costs nothing to resolve again. */
const isName = (ctx: ParserRuleContext) => /^[\w".$]+$/.test(ctx.getText());

/** The text of a literal; undefined for anything else, which is not looked at twice. */
function literalOf(ctx: ParserRuleContext, context: Context): string | undefined {
  if (!ctx.getText().startsWith("'")) return undefined;
  const value: Expr = expression(ctx, context);
  return value.type.kind === 'varchar' ? value.literal : undefined;
}

/** Whether a partition's values, by key, meet the conditions of a scan. */
export function isScanned({ conditions }: Scan, partition: Readonly<Record<string, string | undefined>>): boolean {
  return conditions.every(({ key, operator, values }) =>
    values.some((value) => OPERATORS[operator]?.(partition[key] ?? '', value)),
  );
}
