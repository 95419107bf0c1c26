import type { Item } from '../customers/item.ts';
import type { CorrelationRow, Correlations } from '../stage/material.ts';

/** The columns of the example's query. */
const CORRELATION_COLUMNS = [
  'correlation_age_and_target',
  'correlation_duration_and_target',
  'correlation_campaign_and_target',
  'correlation_contact_and_target',
] as const;

/** The example's query, as analysts of the original table wrote it. */
export const CORRELATION_QUERY = `SELECT corr(age,y) AS correlation_age_and_target, corr(duration,y) AS correlation_duration_and_target,
       corr(campaign,y) AS correlation_campaign_and_target, corr(contact,y) AS correlation_contact_and_target
FROM ( SELECT age, duration, campaign, y, CASE WHEN contact = 'telephone' THEN 1 ELSE 0 END AS contact FROM datasource ) datasource;`;

/** Decimals to which two ways of computing a correlation must agree. */
export const AGREEING_DECIMALS = 6;

/** An item's row: the columns of {@link CORRELATION_QUERY} in their order, and the label last. Undefined without a label: SQL's `corr` leaves out pairs with a null. */
export function correlationRow({ age, duration, campaign, contact, y }: Item): CorrelationRow | undefined {
  if (y?.N === undefined) return undefined;
  return [Number(age?.N), Number(duration?.N), Number(campaign?.N), contact?.S === 'telephone' ? 1 : 0, Number(y.N)];
}

/** The same figures as {@link CORRELATION_QUERY}, from the table's items and by another way. */
export const correlationsOf = (rows: readonly CorrelationRow[]): Correlations =>
  columnCorrelations(CORRELATION_COLUMNS, rows);

/** Of each column its correlation with the label. A row that has no value in a column does not count there. */
export function columnCorrelations(columns: readonly string[], rows: readonly CorrelationRow[]): Correlations {
  const entries = columns.map((name, index) => {
    const known = rows.filter((row) => row[index] !== null);
    const column = (of: number) => known.map((row) => row[of] ?? Number.NaN);
    return [name, pearson(column(index), column(columns.length))] as const;
  });
  return Object.fromEntries(entries);
}

/** Pearson's correlation in two passes (means first, so that large values do not cancel); null when one is constant. */
export function pearson(xs: readonly number[], ys: readonly number[]): number | null {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let covariance = 0;
  let varianceX = 0;
  let varianceY = 0;
  for (const [index, x] of xs.entries()) {
    const [dx, dy] = [x - meanX, (ys[index] as number) - meanY];
    covariance += dx * dy;
    varianceX += dx * dx;
    varianceY += dy * dy;
  }
  return varianceX === 0 || varianceY === 0 ? null : covariance / Math.sqrt(varianceX * varianceY);
}

/** Whether two sets of correlations are the same to {@link AGREEING_DECIMALS} decimals. */
export function agree(left: Correlations, right: Correlations): boolean {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((column) => {
    const [a = null, b = null] = [left[column], right[column]];
    return a === null || b === null ? a === b : Math.abs(a - b) < 0.5 * 10 ** -AGREEING_DECIMALS;
  });
}
