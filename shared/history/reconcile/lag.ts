import { type CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';

/** How far back the metric is looked for, and its period, in milliseconds and seconds. */
const WINDOW_MS = 600_000;
const PERIOD_SECONDS = 60;

/**
 * How far ingest is behind its stream, in milliseconds: the age of the last change that it was given of late. None says
 * that nothing was to be delivered.
 */
export async function deliveryLag(functionName: string, cloudWatch: Pick<CloudWatchClient, 'send'>): Promise<number> {
  const { Datapoints = [] } = await cloudWatch.send(
    new GetMetricStatisticsCommand({
      ...{ Namespace: 'AWS/Lambda', MetricName: 'IteratorAge', Statistics: ['Maximum'], Period: PERIOD_SECONDS },
      Dimensions: [{ Name: 'FunctionName', Value: functionName }],
      ...{ StartTime: new Date(Date.now() - WINDOW_MS), EndTime: new Date() },
    }),
  );
  const [last] = Datapoints.sort((one, other) => Number(other.Timestamp) - Number(one.Timestamp));
  return last?.Maximum ?? 0;
}
