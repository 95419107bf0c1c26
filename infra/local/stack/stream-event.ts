import * as z from 'zod';
import type { EventSourceMappingInput } from '../event-source-mapping/config.ts';

/** A value of serverless.yml: a text, or an intrinsic function that gives one. */
export const textOrIntrinsic = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** A stream event, by the names osls gives its properties. What is not named here is refused, not ignored. */
export const streamEventSchema = z.strictObject({
  type: z.literal('dynamodb'),
  arn: z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('StreamArn')]) }),
  startingPosition: z.enum(['TRIM_HORIZON', 'LATEST']).default('TRIM_HORIZON'),
  // A value given by --param comes as text.
  batchSize: z.coerce.number().default(100),
  batchWindow: z.coerce.number().default(0),
  functionResponseType: z.literal('ReportBatchItemFailures').optional(),
  bisectBatchOnFunctionError: z.boolean().default(false),
  maximumRetryAttempts: z.coerce.number().default(-1),
  maximumRecordAgeInSeconds: z.coerce.number().default(-1),
  filterPatterns: z.array(z.record(z.string(), z.unknown())).default([]),
});

/** What `resources.extensions` may add to an event source mapping here. */
const extensionSchema = z.strictObject({
  DestinationConfig: z.strictObject({ OnFailure: z.strictObject({ Destination: z.string() }) }).optional(),
  FilterCriteria: z.strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string() })) }).optional(),
  // Counts for CloudWatch, of which there is none here.
  MetricsConfig: z.unknown().optional(),
});

/** A mapping as CreateEventSourceMapping takes it, save what is known only once function and stream are there. */
export type StreamMapping = Omit<EventSourceMappingInput, 'UUID' | 'FunctionName' | 'EventSourceArn'>;

/**
 * The event source mapping that a deployment makes of a stream event.
 *
 * @param extension what `resources.extensions` changes in the mapping, evaluated.
 */
export function streamMapping(event: z.output<typeof streamEventSchema>, extension: unknown): StreamMapping {
  const { DestinationConfig, FilterCriteria } = extensionSchema.parse(extension);
  return {
    StartingPosition: event.startingPosition,
    BatchSize: event.batchSize,
    MaximumBatchingWindowInSeconds: event.batchWindow,
    BisectBatchOnFunctionError: event.bisectBatchOnFunctionError,
    MaximumRetryAttempts: event.maximumRetryAttempts,
    MaximumRecordAgeInSeconds: event.maximumRecordAgeInSeconds,
    FunctionResponseTypes: event.functionResponseType ? [event.functionResponseType] : [],
    ...(event.filterPatterns.length > 0 && {
      FilterCriteria: { Filters: event.filterPatterns.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) },
    }),
    ...(DestinationConfig && { DestinationConfig }),
    ...(FilterCriteria && { FilterCriteria }),
  };
}
