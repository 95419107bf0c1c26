import * as z from 'zod';
import { resolvedConfiguration, type StackOptions } from './configuration.ts';
import { evaluate, type Physicals } from './intrinsics.ts';
import { functionLogicalId, functionPhysical, physicalOf } from './physical-names.ts';
import { type StreamMapping, streamEventSchema, streamMapping, textOrIntrinsic } from './stream-event.ts';

const eventSchema = z.union([z.strictObject({ stream: streamEventSchema }), z.strictObject({ schedule: z.string() })]);

/** Variables of functions. A param that is a number stays one: whoever validates the whole makes text of it. */
const environmentSchema = z.record(z.string(), z.union([textOrIntrinsic, z.number()])).default({});

const configurationSchema = z.object({
  provider: z.object({ stackName: z.string(), environment: environmentSchema }),
  functions: z.record(
    z.string(),
    z.object({
      name: z.string(),
      handler: z.string(),
      role: z.string(),
      memorySize: z.coerce.number().default(1024),
      timeout: z.coerce.number().default(6),
      environment: environmentSchema,
      url: z.unknown().optional(),
      events: z.array(eventSchema).default([]),
    }),
  ),
  resources: z.object({
    Resources: z.record(
      z.string(),
      z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
    ),
    Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })).default({}),
    extensions: z.record(z.string(), z.object({ Properties: z.record(z.string(), z.unknown()) })).default({}),
  }),
});
type Configuration = z.output<typeof configurationSchema>;

export interface Stream {
  readonly tableName: string;
  readonly mapping: StreamMapping;
}

export interface StackFunction {
  readonly logicalId: string;
  readonly name: string;
  /** `functions/ingest.handler`: module without its extension, and export. */
  readonly handler: string;
  readonly roleArn: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMB: number;
  /** Whether it has a function URL. */
  readonly url: boolean;
  readonly streams: readonly Stream[];
  /** Such as `rate(5 minutes)`. */
  readonly schedules: readonly string[];
}

export interface StackResource {
  readonly logicalId: string;
  /** Name or ARN, as Ref gives it. */
  readonly ref: string;
  /** Of the types that have one. */
  readonly arn: string | undefined;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What serverless.yml describes, with every variable and intrinsic function evaluated for the local cloud. */
export interface Stack {
  readonly name: string;
  readonly functions: readonly StackFunction[];
  readonly resources: readonly StackResource[];
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Reads serverless.yml as a deployment would: osls resolves it, and what is left to CloudFormation is evaluated here.
 * Region us-east-1, stage dev.
 *
 * @throws Error with osls's own message when the configuration or the definition is wrong, or naming what the local
 * cloud cannot evaluate.
 */
export async function loadStack(options: StackOptions): Promise<Stack> {
  const parsed = configurationSchema.safeParse(await resolvedConfiguration(options));
  if (!parsed.success) {
    throw new Error(`serverless.yml has what the local cloud does not take:\n${z.prettifyError(parsed.error)}`);
  }
  return evaluateStack(parsed.data);
}

function evaluateStack({ provider, functions, resources }: Configuration): Stack {
  const name = provider.stackName;
  const physicals: Physicals = new Map([
    ...Object.entries(resources.Resources).map(([id, it]) => [id, physicalOf(name, id, it)] as const),
    ...Object.entries(functions).map(([key, it]) => [functionLogicalId(key), functionPhysical(it.name)] as const),
    // What osls makes and is only extended here: known by its logical id.
    ...Object.keys(resources.extensions).map((id) => [id, { ref: id, attributes: {} }] as const),
  ]);
  const value = (it: unknown, where: string) => evaluate(it, physicals, name, where);
  return {
    name,
    functions: Object.entries(functions).map(([key, it]) => {
      const environment = Object.entries({ ...provider.environment, ...it.environment });
      return {
        logicalId: functionLogicalId(key),
        name: it.name,
        handler: it.handler,
        roleArn: physicals.get(it.role)?.attributes.Arn ?? it.role,
        environment: Object.fromEntries(environment.map(([k, v]) => [k, String(value(v, `functions.${key}.${k}`))])),
        timeoutSeconds: it.timeout,
        memoryMB: it.memorySize,
        url: it.url !== undefined,
        streams: it.events.flatMap((event) =>
          'stream' in event ? [streamOf(event.stream, key, resources, value)] : [],
        ),
        schedules: it.events.flatMap((event) => ('schedule' in event ? [event.schedule] : [])),
      };
    }),
    resources: Object.entries(resources.Resources).map(([logicalId, it]) => ({
      logicalId,
      ref: physicals.get(logicalId)?.ref ?? logicalId,
      arn: physicals.get(logicalId)?.attributes.Arn,
      type: it.Type,
      properties: value(it.Properties, logicalId) as Record<string, unknown>,
    })),
    outputs: Object.fromEntries(
      Object.entries(resources.Outputs).map(([key, it]) => [key, String(value(it.Value, `Outputs.${key}`))]),
    ),
  };
}

/** The mapping of one stream event, with what `resources.extensions` changes in the one that osls makes. */
function streamOf(
  event: z.output<typeof streamEventSchema>,
  functionKey: string,
  { extensions }: Configuration['resources'],
  value: (it: unknown, where: string) => unknown,
): Stream {
  const [table] = event.arn['Fn::GetAtt'];
  const logicalId = functionLogicalId(functionKey).replace(/LambdaFunction$/, `EventSourceMappingDynamodb${table}`);
  const extension = value(extensions[logicalId]?.Properties ?? {}, logicalId);
  return {
    tableName: String(value({ Ref: table }, `functions.${functionKey}`)),
    mapping: streamMapping(event, extension),
  };
}
