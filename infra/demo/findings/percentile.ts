/**
 * The value that `share` (0 to 1) of the values do not exceed, by the nearest-rank method: always one of the values.
 * Undefined when there are none.
 */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
