import type { Dimensions, RecordDatum } from './metric-store.ts';

/** How an execution goes, by the end of the name of its metric. */
export type ExecutionOutcome = 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted';

/** An invocation that has ended, and one by a function's URL. */
export interface Invocation {
  readonly lambda: { readonly name: string };
  readonly durationMs: number;
  readonly isError: boolean;
}
export interface UrlRequest {
  readonly functionName: string;
  readonly status: number;
  readonly durationMs: number;
}

/** An answer of an endpoint. */
export interface EndpointAnswer {
  readonly endpointName: string;
  readonly variantName: string;
  readonly endpointConfigName: string;
  readonly status: number;
  readonly latencyMicros: number;
}

/** What stands before the time of a stream record, in epoch seconds. */
const CREATION = '"ApproximateCreationDateTime":';

/** The metrics that AWS's services measure by themselves, as far as something here measures the same. */
export function vendedMetrics(record: RecordDatum) {
  const all = (namespace: string, dimensions: Dimensions, values: Readonly<Record<string, number>>) => {
    for (const [name, value] of Object.entries(values)) record({ namespace, name, dimensions, value });
  };
  return {
    invocation({ lambda, durationMs, isError }: Invocation): void {
      const values = { Invocations: 1, Errors: Number(isError), Duration: durationMs, Throttles: 0 };
      all('AWS/Lambda', { FunctionName: lambda.name }, values);
    },

    urlRequest({ functionName, status, durationMs }: UrlRequest): void {
      all(
        'AWS/Lambda',
        { FunctionName: functionName },
        {
          ...{ UrlRequestCount: 1, UrlRequestLatency: durationMs },
          ...{ Url4xxCount: Number(status >= 400 && status < 500), Url5xxCount: Number(status >= 500) },
        },
      );
    },

    /** @param payload event of an event source mapping. Its last record's age is that of the batch. */
    iteratorAge(functionName: string, payload: string, nowMs: number): void {
      const start = payload.lastIndexOf(CREATION);
      if (start < 0) return;
      const seconds = Number.parseInt(payload.slice(start + CREATION.length, start + CREATION.length + 12), 10);
      all('AWS/Lambda', { FunctionName: functionName }, { IteratorAge: Math.max(0, nowMs - seconds * 1_000) });
    },

    execution(stateMachineArn: string, outcome: ExecutionOutcome): void {
      all('AWS/States', { StateMachineArn: stateMachineArn }, { [`Executions${outcome}`]: 1 });
    },

    endpoint({ endpointName, variantName, endpointConfigName, status, latencyMicros }: EndpointAnswer): void {
      const values = {
        ...{ Invocations: 1, ModelLatency: latencyMicros, OverheadLatency: 0 },
        Invocation4XXErrors: Number(status >= 400 && status < 500),
        Invocation5XXErrors: Number(status >= 500),
      };
      const variant = { EndpointName: endpointName, VariantName: variantName };
      all('AWS/SageMaker', variant, values);
      // The fleets of an update are told apart by their configuration.
      all('AWS/SageMaker', { ...variant, EndpointConfigName: endpointConfigName }, values);
    },

    delivery(
      deliveryStreamName: string,
      { ageSeconds, records, bytes }: Readonly<Record<'ageSeconds' | 'records' | 'bytes', number>>,
    ): void {
      all(
        'AWS/Firehose',
        { DeliveryStreamName: deliveryStreamName },
        {
          'DeliveryToS3.DataFreshness': ageSeconds,
          'DeliveryToS3.Records': records,
          'DeliveryToS3.Bytes': bytes,
          'DeliveryToS3.Success': 1,
        },
      );
    },
  };
}
export type VendedMetrics = ReturnType<typeof vendedMetrics>;
