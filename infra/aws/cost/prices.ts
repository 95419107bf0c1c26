/**
 * List prices in US dollars, us-east-1, on demand, without free tiers. `confirmed` says whether a source of AWS's own
 * or one that reproduces it was found; what is not confirmed is printed with a question mark.
 */
export interface Price {
  readonly usd: number;
  readonly per: string;
  readonly confirmed: boolean;
}

const price = (usd: number, per: string, confirmed = true): Price => ({ usd, per, confirmed });

export const PRICES = {
  tableWrite: price(0.625, 'million write units of DynamoDB'),
  tableRead: price(0.125, 'million read units of DynamoDB'),
  tableStorage: price(0.25, 'GB-month of DynamoDB'),
  pointInTimeRecovery: price(0.2, 'GB-month of point-in-time recovery'),
  tableExport: price(0.1, 'GB of table exported'),
  lambdaRequest: price(0.2, 'million invocations'),
  lambdaTime: price(0.0000133334, 'GB-second on arm64'),
  featureWrite: price(1.25, 'million write units of Feature Store', false),
  featureRead: price(0.25, 'million read units of Feature Store', false),
  featureStorage: price(0.45, 'GB-month of the online store', false),
  firehose: price(0.029, 'GB ingested, each record rounded up to 5 KB'),
  objectPut: price(0.005, 'thousand PUT requests'),
  objectStorage: price(0.023, 'GB-month of S3'),
  query: price(5, 'TB scanned by Athena'),
  transition: price(0.025, 'thousand state transitions'),
  glue: price(0.44, 'DPU-hour of Glue'),
  // From memory, like Feature Store's: no source was found for these.
  trainingTime: price(0.115, 'hour of training on ml.m5.large', false),
  endpointTime: price(0.056, 'hour of an ml.t2.medium endpoint', false),
  alarm: price(0.1, 'alarm and month', false),
  metric: price(0.3, 'metric of our own and month', false),
  dashboard: price(3, 'dashboard and month', false),
} as const;

export type PriceName = keyof typeof PRICES;
