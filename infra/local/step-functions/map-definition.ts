import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Definition, StateDefinition } from './definition.ts';

/**
 * The Map state that is taken: a Distributed Map over the items of one object of S3, each of which is a STANDARD
 * execution of its own. Everything else of Map is refused by name.
 */
export interface MapState extends StateDefinition {
  readonly Label: string;
  readonly MaxConcurrency?: number;
  readonly MaxConcurrencyPath?: string;
  readonly ItemReader: {
    readonly ReaderConfig: { readonly InputType: 'JSON' | 'JSONL'; readonly MaxItems?: number };
    readonly Parameters: object;
  };
  /** Payload template of an item's input. Default: the item itself. */
  readonly ItemSelector?: object;
  readonly ItemProcessor: Definition;
  readonly ToleratedFailureCount?: number;
  readonly ToleratedFailurePercentage?: number;
}

/** The values that the paths of a Map state select, for its handler. */
export interface MapParameters {
  readonly object: { readonly Bucket: string; readonly Key: string };
  readonly maxConcurrency: unknown;
  /** The state's input, which an ItemSelector selects from. */
  readonly input: unknown;
}

/** Fields of a Map state besides those that every state has. */
export const MAP_FIELDS = [
  ...['Label', 'MaxConcurrency', 'MaxConcurrencyPath', 'ItemReader', 'ItemSelector', 'ItemProcessor'],
  ...['ToleratedFailureCount', 'ToleratedFailurePercentage'],
];

/** Source: Step Functions, Label of a Distributed Map: at most 40 characters, none of them special. */
const LABEL_PATTERN = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,40}$/u;

/** Types of states that an item may go through. */
const ITEM_STATES = ['Task', 'Choice', 'Wait', 'Pass', 'Succeed', 'Fail'];

/**
 * Checks a Map of a definition that the language's own schema has passed.
 *
 * @throws AwsError InvalidDefinition; NotImplementedException, naming it, for what the local cloud does not do.
 */
export function checkMap(place: string, state: StateDefinition): asserts state is MapState {
  const { Label, ItemReader, ItemProcessor } = state;
  checkProcessor(place, ItemProcessor as object);
  if (!ItemReader) throw notImplemented('Step Functions', `a Map without ItemReader (${place})`);
  checkReader(`ItemReader of ${place}`, ItemReader);
  // AWS makes up a label where there is none. The ARNs of the executions would be others at each deployment.
  if (Label === undefined) throw notImplemented('Step Functions', `a Map without Label (${place})`);
  if (!LABEL_PATTERN.test(String(Label))) {
    throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: Label '${Label}' of ${place}`);
  }
  for (const { ErrorEquals } of [state.Retry ?? [], state.Catch ?? []].flat() as { ErrorEquals: string[] }[]) {
    if (!ErrorEquals.includes('States.TaskFailed')) continue;
    throw notImplemented('Step Functions', `States.TaskFailed for a Map (${place})`, 'Name the error of the Map.');
  }
}

function checkProcessor(place: string, processor: object): void {
  const { ProcessorConfig = {}, States } = processor as Definition & { readonly ProcessorConfig?: object };
  refuseUnknown('Step Functions', `ItemProcessor of ${place}`, processor, [
    ...['Comment', 'ProcessorConfig', 'StartAt', 'States'],
  ]);
  refuseUnknown('Step Functions', `ProcessorConfig of ${place}`, ProcessorConfig, ['Mode', 'ExecutionType']);
  const { Mode = 'INLINE', ExecutionType } = ProcessorConfig as { Mode?: string; ExecutionType?: string };
  if (Mode !== 'DISTRIBUTED') throw notImplemented('Step Functions', `Mode ${Mode} of a Map (${place})`);
  if (ExecutionType !== 'STANDARD') {
    throw notImplemented('Step Functions', `ExecutionType ${ExecutionType} of a Map (${place})`);
  }
  for (const [name, { Type }] of Object.entries(States)) {
    if (!ITEM_STATES.includes(Type)) throw notImplemented('Step Functions', `${Type} in a Map (state ${name})`);
  }
}

function checkReader(place: string, reader: object): void {
  refuseUnknown('Step Functions', place, reader, ['Resource', 'ReaderConfig', 'Parameters']);
  const { Resource, ReaderConfig = {}, Parameters = {} } = reader as Readonly<Record<string, object>>;
  if (String(Resource) !== 'arn:aws:states:::s3:getObject') {
    throw notImplemented('Step Functions', `the resource ${Resource} (${place})`);
  }
  refuseUnknown('Step Functions', place, ReaderConfig, ['InputType', 'MaxItems']);
  const { InputType } = ReaderConfig as { InputType?: string };
  if (InputType !== 'JSON' && InputType !== 'JSONL') {
    throw notImplemented('Step Functions', `InputType ${InputType} (${place})`);
  }
  refuseUnknown('Step Functions', place, Parameters, ['Bucket', 'Bucket.$', 'Key', 'Key.$']);
}

/**
 * A Map state as a task of the interpreter, whose handler runs the map: the interpreter's own Map runs its items
 * within the execution. The paths are the interpreter's to follow, and reach the handler as {@link MapParameters}.
 */
export function mapAsTask(state: MapState): StateDefinition {
  const { MaxConcurrency = 0, MaxConcurrencyPath, ItemReader } = state;
  return {
    ...state,
    Type: 'Task',
    Parameters: {
      object: ItemReader.Parameters,
      ...(MaxConcurrencyPath === undefined
        ? { maxConcurrency: MaxConcurrency }
        : { 'maxConcurrency.$': MaxConcurrencyPath }),
      'input.$': '$',
    },
  };
}
