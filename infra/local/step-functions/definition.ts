import { hash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StateMachine } from 'aws-local-stepfunctions';
import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { cacheFolder, INSTALLED, stateOf } from '../storage/project.ts';
import { choiceAsInAws } from './choice-rule.ts';
import { integrationOf } from './integration.ts';
import { checkMap, MAP_FIELDS } from './map-definition.ts';

/**
 * A state machine as the interpreter (aws-local-stepfunctions) is to run it. What it would ignore or do otherwise than
 * AWS is rewritten where that can be done, and refused where not, so that a definition that is taken here means the
 * same there. JSONPath only.
 */

/** Longest delay a timer of Node takes, in seconds: beyond it, it fires at once. About 24 days. */
const TIMER_SECONDS_MAX = 2_147_483;

export type StateDefinition = Readonly<Record<string, unknown>> & {
  readonly Type: string;
  readonly QueryLanguage?: unknown;
};

export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, StateDefinition>>;
  readonly TimeoutSeconds?: number;
  readonly QueryLanguage?: unknown;
}

const INPUT_OUTPUT = ['InputPath', 'OutputPath'];
const NEXT = ['Next', 'End'];

/** Fields that the interpreter honours, by type of state. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Task: [
    ...[...INPUT_OUTPUT, ...NEXT, 'Resource', 'Parameters', 'ResultSelector', 'ResultPath', 'Retry', 'Catch'],
    ...['TimeoutSeconds', 'TimeoutSecondsPath'],
  ],
  Map: [...INPUT_OUTPUT, ...NEXT, ...MAP_FIELDS, 'ResultSelector', 'ResultPath', 'Retry', 'Catch'],
  Pass: [...INPUT_OUTPUT, ...NEXT, 'Parameters', 'Result', 'ResultPath'],
  Wait: [...INPUT_OUTPUT, ...NEXT, 'Seconds', 'Timestamp', 'SecondsPath', 'TimestampPath'],
  Choice: [...INPUT_OUTPUT, 'Choices', 'Default'],
  Succeed: INPUT_OUTPUT,
  Fail: ['Error', 'Cause', 'ErrorPath', 'CausePath'],
};

/** Definitions that were found valid: an empty file for each, named by its hash. */
const VALID = cacheFolder('definitions');

/**
 * Checks a definition against the language's own schema. Takes a good part of a second, most of which the checker
 * spends on compiling its own schemas: the same definition is checked once, until other packages are installed.
 *
 * @throws AwsError InvalidDefinition
 */
export function checkDefinition(definition: object): asserts definition is Definition {
  const text = JSON.stringify(definition);
  const valid = join(VALID, hash('sha256', `${stateOf(INSTALLED)}\n${text}`));
  if (existsSync(valid)) return;
  try {
    new StateMachine(JSON.parse(text));
  } catch (error) {
    throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: ${(error as Error).message}`);
  }
  mkdirSync(VALID, { recursive: true });
  writeFileSync(valid, '');
}

/**
 * The definition to run, of one that {@link checkDefinition} has passed.
 *
 * @throws AwsError NotImplementedException for what AWS would do and the local cloud does not.
 */
export function runnable(machine: Definition): Definition {
  const honoured = ['Comment', 'StartAt', 'States', 'TimeoutSeconds', 'Version', 'QueryLanguage'];
  refuseUnknown('Step Functions', 'the definition', machine, honoured);
  refuseJsonata('the definition', machine);
  const states = Object.entries(machine.States).map(([name, state]) => [name, runnableState(name, state)] as const);
  return {
    ...machine,
    States: Object.fromEntries(states),
    ...(machine.TimeoutSeconds !== undefined && {
      TimeoutSeconds: Math.min(machine.TimeoutSeconds, TIMER_SECONDS_MAX),
    }),
  };
}

function runnableState(name: string, state: StateDefinition): StateDefinition {
  const place = `state ${name}`;
  const fields = FIELDS[state.Type];
  if (!fields) throw notImplemented('Step Functions', `states of type ${state.Type} (${place})`);
  refuseJsonata(place, state);
  refuseUnknown('Step Functions', place, state, [...fields, 'Type', 'Comment', 'QueryLanguage']);
  // The items of a Map see another context.
  const { ItemSelector, ItemProcessor, ...own } = state;
  refuseReferences(place, own);
  checkRetryAndCatch(place, state);
  const { ResultPath, ...rest } = state;
  // The interpreter would write a field named "$" instead of replacing the whole.
  const output = ResultPath === undefined || ResultPath === '$' ? {} : { ResultPath: resultPath(place, ResultPath) };
  return { ...rest, ...output, ...OF_TYPE[state.Type]?.(place, state) };
}

/** What is particular to a type of state. */
const OF_TYPE: Readonly<Record<string, (place: string, state: StateDefinition) => object>> = {
  Task: (place, state) => {
    integrationOf(place, String(state.Resource));
    const { TimeoutSeconds, TimeoutSecondsPath, Parameters, Catch } = state;
    // The interpreter's default is one minute; AWS's is 99999999 seconds.
    const seconds = Math.min(Number(TimeoutSeconds ?? TIMER_SECONDS_MAX), TIMER_SECONDS_MAX);
    return {
      ...(TimeoutSecondsPath === undefined && { TimeoutSeconds: seconds }),
      ...(Parameters !== undefined && { Parameters: deferJsonToString(Parameters) }),
      ...(Array.isArray(Catch) && { Catch: Catch.map(withoutWholeResultPath) }),
    };
  },
  Map: (place, state) => {
    checkMap(place, state);
    const { ItemSelector, Catch } = state;
    const { StartAt, States } = state.ItemProcessor;
    refuseReferences(`ItemSelector of ${place}`, ItemSelector, ITEM_CONTEXT);
    return {
      TimeoutSeconds: TIMER_SECONDS_MAX,
      ItemProcessor: runnable({ StartAt, States }),
      ...(ItemSelector !== undefined && { ItemSelector: deferJsonToString(ItemSelector) }),
      ...(Array.isArray(Catch) && { Catch: Catch.map(withoutWholeResultPath) }),
    };
  },
  Pass: (place, state) => {
    if ('Result' in state && !state.Result) {
      throw notImplemented('Step Functions', `the Result ${JSON.stringify(state.Result)} of ${place}`);
    }
    return {};
  },
  Wait: (place, state) => {
    if (Number(state.Seconds ?? 0) <= TIMER_SECONDS_MAX) return {};
    throw notImplemented('Step Functions', `a wait of more than ${TIMER_SECONDS_MAX} seconds (${place})`);
  },
  Choice: (place, state) => ({
    Choices: (state.Choices as Record<string, unknown>[]).map((rule) => choiceAsInAws(place, rule)),
  }),
  Fail: (place, state) => {
    for (const path of [state.ErrorPath, state.CausePath]) {
      if (typeof path === 'string' && !path.startsWith('$')) {
        throw notImplemented('Step Functions', `an intrinsic function in ErrorPath or CausePath (${place})`);
      }
    }
    return {};
  },
};

function refuseJsonata(place: string, { QueryLanguage }: { readonly QueryLanguage?: unknown }): void {
  if (QueryLanguage === undefined || QueryLanguage === 'JSONPath') return;
  throw notImplemented('Step Functions', `QueryLanguage ${QueryLanguage} (${place})`);
}

/** Members of the context object that the interpreter is given and that never change. */
const CONTEXT = [
  ...['Execution.Id', 'Execution.Input', 'Execution.Name', 'Execution.RoleArn', 'Execution.StartTime'],
  ...['StateMachine.Id', 'StateMachine.Name'],
];

/** Those of an ItemSelector, which is given the item too, and not the time at which the execution has started. */
const ITEM_CONTEXT = [...CONTEXT.filter((it) => it !== 'Execution.StartTime'), 'Map.Item.Index', 'Map.Item.Value'];

/** Variables, and the parts of the context object that change from state to state: both would be found absent. */
function refuseReferences(place: string, value: unknown, context = CONTEXT): void {
  if (typeof value === 'string') {
    for (const [reference] of value.matchAll(/\$\$[\w.]*/g)) {
      if (context.some((it) => `${reference}.`.startsWith(`$$.${it}.`))) continue;
      throw notImplemented('Step Functions', `${reference} of the context object (${place})`);
    }
    const variable = /(?:^|[\s(,])(\$[A-Za-z_]\w*)/.exec(value);
    if (variable) throw notImplemented('Step Functions', `the variable ${variable[1]} (${place})`);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      const isReference = Array.isArray(value) || typeof inner !== 'string' || /\.\$$|Path$|^Variable$/.test(key);
      if (isReference) refuseReferences(place, inner, context);
    }
  }
}

function checkRetryAndCatch(place: string, { Retry = [], Catch = [] }: StateDefinition): void {
  for (const retrier of Retry as object[]) {
    refuseUnknown('Step Functions', `Retry of ${place}`, retrier, [
      ...[
        'ErrorEquals',
        'IntervalSeconds',
        'MaxAttempts',
        'BackoffRate',
        'MaxDelaySeconds',
        'JitterStrategy',
        'Comment',
      ],
    ]);
  }
  for (const catcher of Catch as { readonly ResultPath?: unknown }[]) {
    refuseUnknown('Step Functions', `Catch of ${place}`, catcher, ['ErrorEquals', 'Next', 'ResultPath', 'Comment']);
    resultPath(place, catcher.ResultPath ?? null);
  }
}

function resultPath(place: string, path: unknown): unknown {
  if (path === null || path === '$' || /^\$\.[^[\]]+$/.test(String(path))) return path;
  throw notImplemented('Step Functions', `the ResultPath ${path} (${place})`);
}

function withoutWholeResultPath({ ResultPath, ...catcher }: { readonly ResultPath?: unknown }): object {
  return ResultPath === undefined || ResultPath === '$' ? catcher : { ...catcher, ResultPath };
}

/** Name of the field under which {@link deferJsonToString} leaves what a task's handler is to turn into text. */
const DEFERRED = 'States.JsonToString';

/**
 * The interpreter drops every backslash of a text that an intrinsic function gives, which breaks JSON within JSON. So
 * a parameter that is `States.JsonToString(path)` reaches the handler as the value itself, to be made text there.
 */
function deferJsonToString(template: unknown): unknown {
  if (Array.isArray(template)) return template.map(deferJsonToString);
  if (template === null || typeof template !== 'object') return template;
  const entries = Object.entries(template).map(([key, value]) => {
    const path = key.endsWith('.$') && /^States\.JsonToString\(\s*(\$[^\s,()]*)\s*\)$/.exec(String(value))?.[1];
    if (!path) return [key, deferJsonToString(value)];
    return [key.slice(0, -'.$'.length), { [`${DEFERRED}.$`]: path }];
  });
  return Object.fromEntries(entries);
}

/** Carries out what {@link deferJsonToString} left in a task's parameters. */
export function carryOutJsonToString(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(carryOutJsonToString);
  if (value === null || typeof value !== 'object') return value;
  if (DEFERRED in value) return JSON.stringify(value[DEFERRED]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, carryOutJsonToString(inner)]));
}
