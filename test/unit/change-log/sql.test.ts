import { describe, expect, it } from 'vitest';
import { correlationSql, DELETED, latestRowsSql, RECENCY } from '../../../shared/change-log/sql.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import { categorical, defineFeatureGroup, fractional, string } from '../../../shared/feature-groups/define.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const group = (change: Partial<FeatureGroupInput>) =>
  defineFeatureGroup({
    name: 'g',
    recordIdentifier: 'id',
    features: { size: fractional() },
    label: { name: 'y' },
    ...change,
  });

describe('the latest rows', () => {
  it('apply deletions after the latest row is picked', () => {
    const sql = latestRowsSql(group({}), 'd');
    expect(sql.indexOf(`NOT (${DELETED})`)).toBeGreaterThan(sql.indexOf('row_number()'));
    expect(sql.split(DELETED)).toHaveLength(2);
  });

  it.each([
    [{ onDelete: 'keep' as const }, `NOT ("event_name" = 'REMOVE' AND NOT "ttl_expired")`],
    [{ onTtlExpiry: 'keep' as const }, `NOT ("event_name" = 'REMOVE' AND "ttl_expired")`],
    [{ onDelete: 'keep' as const, onTtlExpiry: 'keep' as const }, `NOT ("event_name" = 'REMOVE')`],
  ])('leave out, before the pick, the deletions that %o keeps', (change, condition) => {
    const sql = latestRowsSql(group(change), 'd');
    expect(sql).toContain(`FROM "d"."change_log"\nWHERE ${condition}\n`);
  });

  it('are those of the latest second and, within it, of the greatest sequence number', () => {
    expect(RECENCY).toBe(`substr("event_time", 1, 19) || lpad("sequence_number", 40, '0') || "event_time"`);
    expect(latestRowsSql(group({}), 'd')).toContain(`ORDER BY ${RECENCY} DESC`);
  });
});

describe('the correlation query', () => {
  it('has every training feature that is a number, a boolean or one of two categories', () => {
    expect(correlationSql(orders)).toBe(`SELECT
  corr("unit-price", "returned") AS "correlation_unit-price_and_target",
  corr("quantity", "returned") AS "correlation_quantity_and_target",
  corr("giftwrapped", "returned") AS "correlation_giftwrapped_and_target",
  corr(CASE WHEN "channel" = 'clerk''s' THEN 1 ELSE 0 END, "returned") AS "correlation_channel_and_target",
  corr("discount", "returned") AS "correlation_discount_and_target"
FROM "datasource"`);
  });

  it('is not made when there is nothing to correlate', () => {
    const features = { note: string(), size: categorical(['s', 'm', 'l']) };
    expect(correlationSql(group({ features }))).toBeUndefined();
  });
});
