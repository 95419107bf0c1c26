import * as z from 'zod';

/** Source of every limit: CreateEventSourceMapping and "Lambda parameters for Amazon DynamoDB event source mappings". */
const schema = z.strictObject({
  /** Identity of the mapping: its checkpoints are kept under it. */
  UUID: z.string().min(1),
  /** Name or ARN. */
  FunctionName: z.string().min(1),
  /** ARN of the stream. */
  EventSourceArn: z
    .string()
    .regex(/^arn:aws[^:]*:dynamodb:[^:]*:\d*:table\/[^/]+\/stream\/.+$/, 'must be the ARN of a DynamoDB stream'),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']),
  Enabled: z.boolean().default(true),
  BatchSize: z.int().min(1).max(10_000).default(100),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(300).default(0),
  ParallelizationFactor: z
    .literal(1, 'the local cloud runs one batch per shard at a time: 1 is the only value')
    .default(1),
  BisectBatchOnFunctionError: z.boolean().default(false),
  /** -1: no limit but the record's age. */
  MaximumRetryAttempts: z.int().min(-1).max(10_000).default(-1),
  /** -1: as long as the stream keeps it. Otherwise at least a minute. */
  MaximumRecordAgeInSeconds: z.union([z.literal(-1), z.int().min(60).max(604_800)]).default(-1),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).max(1).default([]),
  FilterCriteria: z.strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string() })).default([]) }).optional(),
  DestinationConfig: z
    .strictObject({
      OnFailure: z.strictObject({
        Destination: z
          .string()
          .regex(/^arn:aws[^:]*:s3:::[^/]+$/, 'the local cloud delivers to S3 only: give the ARN of a bucket'),
      }),
    })
    .optional(),
});

/** Parameters of CreateEventSourceMapping, by AWS's names. */
export type EventSourceMappingInput = z.input<typeof schema>;
export type EventSourceMappingConfig = z.output<typeof schema>;

/** @throws Error naming every parameter that Lambda, or the local cloud, would not take. */
export function parseEventSourceMapping(input: EventSourceMappingInput): EventSourceMappingConfig {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Error(`Event source mapping of ${input?.FunctionName} is not valid:\n${z.prettifyError(parsed.error)}`);
}
