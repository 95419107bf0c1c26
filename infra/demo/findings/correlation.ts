import type { Item } from '../customers/item.ts';

/** The example's correlations, under the column names of its query. */
export type Correlations = Readonly<Record<(typeof CORRELATION_COLUMNS)[number], number | null>>;

export const CORRELATION_COLUMNS = [
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

/**
 * The same figures as {@link CORRELATION_QUERY}, from the table's items and by another way: rows without a label do
 * not count, as SQL's `corr` leaves out pairs with a null.
 */
export function correlationsOf(items: readonly Item[]): Correlations {
  const labeled = items.filter((item) => item.y?.N !== undefined);
  const labels = labeled.map((item) => Number(item.y?.N));
  const against = (value: (item: Item) => number) => pearson(labeled.map(value), labels);
  return {
    correlation_age_and_target: against((item) => Number(item.age?.N)),
    correlation_duration_and_target: against((item) => Number(item.duration?.N)),
    correlation_campaign_and_target: against((item) => Number(item.campaign?.N)),
    correlation_contact_and_target: against((item) => (item.contact?.S === 'telephone' ? 1 : 0)),
  };
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
  return CORRELATION_COLUMNS.every((column) => {
    const [a, b] = [left[column], right[column]];
    return a === null || b === null ? a === b : Math.abs(a - b) < 0.5 * 10 ** -AGREEING_DECIMALS;
  });
}
