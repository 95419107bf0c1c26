import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import type { ItemPath } from '../../../shared/definition/item-path.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { defineFeatureGroup, equals } from '../../../shared/feature-groups/define.ts';
import type { Contestant } from '../measure/rounds.ts';
import { compiled } from './compiled.ts';
import { BATCH_RECORDS_MAX, type EventOptions } from './events.ts';
import { csvStringify, papaparse, powertools, toBodies, unmarshallAndZod } from './hand-written.ts';

export const PARSE = 'JSON.parse';
export const OURS = 'compiled from the definition, to finished bodies';
export const USERS = 'unmarshall + zod + csv-stringify, to finished bodies';

/** The worked example with every feature optional, so that attributes may be missing. */
const optionalExample = defineFeatureGroup({
  name: bankMarketing.name,
  recordIdentifier: bankMarketing.recordIdentifier.name,
  features: Object.fromEntries(
    bankMarketing.features.map(({ name, attribute: _, ...feature }) => [name, { ...feature, optional: true }]),
  ) as Parameters<typeof defineFeatureGroup>[0]['features'],
  label: { name: labelOf(bankMarketing).name },
});

/** Where the example has its features nested: two maps, one in the other, and a list. */
const NESTED: Readonly<Record<string, ItemPath>> = {
  age: ['person', 'age'],
  marital: ['person', 'marital'],
  contact: ['calls', 'last', 'contact'],
  duration: ['calls', 'last', 'seconds'],
  campaign: ['calls', 'counts', 0],
};

/** The worked example with five nested features, in a table of which half of the items are others. */
const nestedExample = defineFeatureGroup({
  name: bankMarketing.name,
  recordIdentifier: bankMarketing.recordIdentifier.name,
  items: { kind: equals('customer') },
  features: Object.fromEntries(
    bankMarketing.features.map(({ name, attribute: _, ...feature }) => [
      name,
      { ...feature, ...(NESTED[name] && { path: NESTED[name] }) },
    ]),
  ) as Parameters<typeof defineFeatureGroup>[0]['features'],
  label: { name: labelOf(bankMarketing).name },
});

interface Batch {
  readonly group?: FeatureGroup;
  readonly options: EventOptions;
}

/** The batch that only a definition with conditions can take. */
export const FILTERED = '6 MB, half of the items others, five features nested';

/** What the contestants are given. */
export const BATCHES: Readonly<Record<string, Batch>> = {
  '6 MB': { options: {} },
  '10,000 records': { options: { records: BATCH_RECORDS_MAX } },
  '6 MB, attributes in random order': { options: { shuffled: true } },
  [FILTERED]: { group: nestedExample, options: { others: 0.5 } },
  '6 MB, a fifth of the attributes missing': { group: optionalExample, options: { missing: 0.2 } },
};

/** Batches in which each item changes this many times. */
export const COALESCING: Readonly<Record<string, Batch>> = Object.fromEntries(
  [1, 2, 5].map((changesPerKey) => [changesPerKey, { options: { changesPerKey, records: 5_800 } }]),
);

/** Ours, and what a user would otherwise write, for batches of this event text. */
export function contestants(group: FeatureGroup, text: string): Record<string, Contestant<unknown>> {
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  const on = (run: (event: DynamoDBStreamEvent) => unknown): Contestant<unknown> => ({
    prepare: () => JSON.parse(text),
    run: (event) => run(event as DynamoDBStreamEvent),
  });
  const zodAndCsv = unmarshallAndZod(group, csvStringify);
  const parser = powertools(group, csvStringify);
  return {
    [PARSE]: { prepare: () => undefined, run: () => JSON.parse(text) },
    [OURS]: on(compiled(group)),
    'unmarshall + zod + papaparse, to SDK input': on(unmarshallAndZod(group, papaparse)),
    'unmarshall + zod + csv-stringify, to SDK input': on(zodAndCsv),
    [USERS]: on((event) => toBodies(group, zodAndCsv(event))),
    'Powertools batch + parser + csv-stringify, to SDK input': on((event) => parser(event, context)),
  };
}
