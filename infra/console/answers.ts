import { type Feature, withoutLabel } from '../../shared/definition/feature-group.ts';
import { encodingOf } from '../../shared/model/encoding.ts';
import { executionName } from '../../shared/model/names.ts';
import { summarizeFeatures } from '../insight/features/summary.ts';
import { readJudged } from '../insight/judged.ts';
import { describeEndpoint } from '../insight/live/endpoint.ts';
import { executionArn, statesOf } from '../insight/live/executions.ts';
import { askForPrediction } from '../insight/live/predictions.ts';
import { countOpenShards } from '../insight/live/shards.ts';
import { readPredictions } from '../insight/predictions.ts';
import { readWaiting, type WaitingGroup } from '../insight/quarantine.ts';
import { queryRows } from '../insight/query.ts';
import { readHistory, readItem, readOnline } from '../insight/record.ts';
import type { ConsoleOptions } from './console-options.ts';

/** Objects of the quarantine bucket that are read, and items of a group that are sent. */
const WAITING_OBJECTS_MAX = 1_000;
const ITEMS_MAX = 100;

/** What a redrive may be narrowed down by. */
const REDRIVEN_BY = ['object', 'reason', 'place', 'item'];

/** Rows of a query that are sent. */
const ROWS_MAX = 1_000;

/** A statement that reads, behind its comments. EXPLAIN is none: with ANALYZE it runs what it explains. */
const READS = /^(?:\s|--[^\n]*\n|\/\*[^*]*\*\/)*(?:select|with|show|describe)\b/i;

/** A question that cannot be answered as it is: whoever asked has to change it. */
export class WrongQuestion extends Error {}

type Question = Readonly<Record<string, unknown>>;

/** What the page may ask, by the path of its request. */
export type Answers = ReturnType<typeof answersOf>;

/** Answers to the page's questions. */
export function answersOf(options: ConsoleOptions) {
  const { sources, actions } = options;
  return {
    stack: async () => stackOf(options),

    record: async (question: Question) => {
      const id = text(question, 'identifier');
      const isBrief = question.history === false;
      const [item, online, changes, predictions] = await Promise.all([
        asked(readItem(sources, id)),
        readOnline(sources, id),
        isBrief ? undefined : readHistory(sources, id),
        isBrief ? undefined : readPredictions(sources, id),
      ]);
      return {
        ...{ item: item ?? null, online: online ?? null },
        ...{ changes: changes ?? null, predictions: predictions ?? null },
      };
    },

    features: () => asked(summarizeFeatures(sources)),

    query: async (question: Question) => {
      const sql = text(question, 'sql');
      if (!READS.test(sql))
        throw new WrongQuestion('The console only reads: begin with SELECT, WITH, SHOW or DESCRIBE.');
      return asked(queryRows(sources, sql, { rowsMax: ROWS_MAX }));
    },

    predict: async ({ request }: Question) => {
      if (typeof request !== 'object' || request === null) throw new WrongQuestion('request is missing.');
      if (!sources.group.label) throw new WrongQuestion(withoutLabel(sources.group));
      return askForPrediction(sources, request);
    },

    training: async (question: Question) => {
      const name = executionName(sources.group.name, wholeNumber(question, 'epoch'), wholeNumber(question, 'attempt'));
      return { states: await statesOf(sources, name), arn: executionArn(sources, name) };
    },

    judged: async (question: Question) => ({
      judged: (await readJudged(sources, text(question, 'modelName'))) ?? null,
    }),

    endpoint: async (question: Question) => {
      return { endpoint: (await describeEndpoint(sources, text(question, 'name'))) ?? null };
    },

    shards: async () => ({ shards: (await countOpenShards(sources)) ?? null }),

    waiting: async (question: Question) => {
      const { groups, objects, more } = await readWaiting(sources, WAITING_OBJECTS_MAX);
      const isShown = question.show === true;
      const shown = (group: WaitingGroup) => ({
        ...group,
        items: group.items.slice(0, ITEMS_MAX).map(({ value, ...item }) => (isShown ? { ...item, value } : item)),
      });
      return { groups: groups.map(shown), objects, more };
    },

    act: async (question: Question) => {
      if (!actions) throw new WrongQuestion('This console only reads: start it with --allow-actions.');
      const name = text(question, 'action');
      if (!Object.hasOwn(actions, name)) throw new WrongQuestion(`There is no action ${name}.`);
      const request = {
        reason: typeof question.reason === 'string' && question.reason !== '' ? question.reason : 'no reason given',
        selection: selectionOf(question),
      };
      return { said: await actions[name as keyof typeof actions](request) };
    },
  };
}

/** What a page needs to know once. */
function stackOf({ sources, commandOptions, readsFreely, actions }: ConsoleOptions): object {
  const { group, config, stack, names } = sources;
  return {
    ...{
      stack,
      commandOptions,
      readsFreely,
      allowsActions: actions !== undefined,
      database: names.database,
      workGroup: names.workGroup,
      predictionLog: names.predictionLog ?? null,
    },
    group: {
      ...{ name: group.name, table: group.table, label: group.label?.name ?? null },
      identifier: group.recordIdentifier,
      ownEventTime: group.eventTime.attribute !== undefined,
      features: group.features.map(featureOf),
    },
    schema: encodingOf(group).schemaHash,
    policy: { threshold: config.policy.labelsThreshold, perClass: config.policy.labelsPerClassMin },
    canarySeconds: config.canarySeconds,
  };
}

/** A feature as a form needs it. Bounds are texts, as a bound may be a bigint. */
function featureOf(feature: Feature): object {
  const { name, type, training, optional } = feature;
  const bounds = 'min' in feature ? { min: feature.min?.toString(), max: feature.max?.toString() } : {};
  return {
    ...{ name, type, training, optional },
    ...bounds,
    ...('categories' in feature && { categories: feature.categories }),
  };
}

/** What a redrive is asked for. @throws WrongQuestion when a part of it is no text: it would be redriven more than was meant. */
function selectionOf({ selection = {} }: Question): Readonly<Record<string, string>> {
  if (typeof selection !== 'object' || selection === null) throw new WrongQuestion('selection is no object.');
  const asked = selection as Question;
  const given = REDRIVEN_BY.filter((name) => asked[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, text(asked, name)]));
}

function text(question: Question, name: string): string {
  const value = question[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new WrongQuestion(`${name} is missing.`);
}

function wholeNumber(question: Question, name: string): number {
  const value = question[name];
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new WrongQuestion(`${name} must be a whole number from 1 on.`);
}

/** An identifier or a statement that is none is the asker's to mend. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { message } = error as Error;
    if (/is no record identifier|^The query is FAILED/.test(message)) throw new WrongQuestion(message);
    throw error;
  }
}
