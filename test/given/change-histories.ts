import fc from 'fast-check';
import { type Change, featureTexts, type TimedChange } from '../../shared/changes/change.ts';
import { isKept } from '../../shared/changes/last-change.ts';
import { compareSequenceNumbers } from '../../shared/changes/sequence-number.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../../shared/definition/feature-group.ts';
import type { FeatureTexts } from '../../shared/model/encode.ts';

/** Generated histories of a table's changes, how they reach the change log, and what training should learn from them. */

/** A row of the change log, and the delivery (counted from 0) that brings it. */
export interface DeliveredChange extends TimedChange {
  readonly delivery: number;
}

const FIRST_SECOND = Date.UTC(2026, 0, 15) / 1_000;

export const isRequiredNumber = (feature: Feature) =>
  feature.training && !feature.optional && feature.type !== 'categorical' && feature.type !== 'hashed';

/** Any feature may be missing; a required number rarely, as such a row does not train. */
function valuesOf(group: FeatureGroup, textOf: (feature: Feature) => fc.Arbitrary<string | undefined>) {
  return fc.tuple(
    ...columnsOf(group).map(({ feature }) =>
      feature === 'label'
        ? fc.constantFrom('0', '1', undefined)
        : fc.option(textOf(feature), { nil: undefined, freq: isRequiredNumber(feature) ? 20 : 3 }),
    ),
  );
}

/**
 * The changes of one record, oldest first: it is inserted, modified, labeled, corrected, unlabeled, removed and
 * inserted again, several times a second or once a day.
 */
function historyOf(
  group: FeatureGroup,
  identifier: fc.Arbitrary<string>,
  textOf: (feature: Feature) => fc.Arbitrary<string | undefined>,
  clockStepsBack: boolean,
): fc.Arbitrary<TimedChange[]> {
  const step = fc.record({
    removes: fc.constantFrom(true, false, false, false),
    ttlExpired: fc.boolean(),
    values: valuesOf(group, textOf),
    secondsLater: fc.constantFrom(0, 0, 0, 1, 5, 86_400),
    /** The stream's clock may step back. Event time does not, until a change is delivered again. */
    secondsBack: clockStepsBack ? fc.constantFrom(0, 0, 0, 2) : fc.constant(0),
    sequenceLater: fc.bigInt({ min: 1n, max: 10n ** 30n }),
    /** A repair states what the change has made of the item, beside its row, or where it never got one. */
    repair: fc.constantFrom('none', 'none', 'none', 'beside', 'instead'),
  });
  return fc.tuple(identifier, fc.array(step, { minLength: 1, maxLength: 7 })).map(([recordIdentifier, steps]) => {
    const changes: TimedChange[] = [];
    let [second, sequence, ordinal, exists] = [FIRST_SECOND, 1n, 0, false];
    for (const { removes, ttlExpired, values, secondsLater, secondsBack, sequenceLater, repair } of steps) {
      second += secondsLater;
      ordinal = secondsLater === 0 ? ordinal + 1 : 0;
      sequence += sequenceLater;
      const change: Change = {
        ...{ recordIdentifier, second: second - secondsBack, newLabel: undefined, sequenceNumber: String(sequence) },
        eventName: !exists ? 'INSERT' : removes ? 'REMOVE' : 'MODIFY',
        ttlExpired: exists && removes && ttlExpired,
        values: exists && removes ? undefined : values,
      };
      const isRepaired = repair !== 'none' && !isKept(group, change);
      if (!isRepaired || repair === 'beside') changes.push({ ...change, eventTimeMs: second * 1_000 + ordinal });
      if (isRepaired) changes.push(repairOf(change, second));
      exists = !exists || !removes;
    }
    return changes;
  });
}

/** Its place is behind its change: of the same second and number, with a later event time. */
function repairOf(change: Change, second: number): TimedChange {
  const eventName = change.values ? 'REPAIR' : 'REPAIR_REMOVE';
  return { ...change, eventName, ttlExpired: false, eventTimeMs: second * 1_000 + 999 };
}

const isRepair = ({ eventName }: Change) => eventName.startsWith('REPAIR');

/** Changes of several records as they are delivered: in any order, late, twice, and again with an earlier event time. */
export function deliveriesOf(
  group: FeatureGroup,
  identifier: fc.Arbitrary<string>,
  textOf: (feature: Feature) => fc.Arbitrary<string | undefined>,
  deliveries: number,
  { clockStepsBack = true } = {},
): fc.Arbitrary<DeliveredChange[]> {
  const delivery = fc.integer({ min: 0, max: deliveries - 1 });
  const copies = fc.array(fc.record({ delivery, isDatedAnew: fc.boolean() }), { minLength: 1, maxLength: 2 });
  return fc
    .uniqueArray(historyOf(group, identifier, textOf, clockStepsBack), {
      minLength: 1,
      maxLength: 6,
      selector: ([change]) => change?.recordIdentifier,
    })
    .chain((histories) => {
      const delivered = histories.flat().map((change) =>
        copies.map((made) =>
          made.map(({ delivery: at, isDatedAnew }) => ({
            ...change,
            eventTimeMs: isDatedAnew && !isRepair(change) ? change.second * 1_000 : change.eventTimeMs,
            delivery: at,
          })),
        ),
      );
      return fc
        .tuple(...delivered)
        .chain((all) =>
          fc.shuffledSubarray(all.flat(), { minLength: all.flat().length, maxLength: all.flat().length }),
        );
    });
}

/** What is learned from a record: its label of now, and features of the time that the definition says. */
export interface Learned {
  readonly recordIdentifier: string;
  readonly label: string;
  readonly features: FeatureTexts;
  /** As of the label: what was known before it is not known. */
  readonly isInexact: boolean;
}

const eventSecond = ({ eventTimeMs }: TimedChange) => Math.floor(eventTimeMs / 1_000);

/**
 * The plain reading of the rule, over whole histories: of each record that lives and has a label. As of the label: the
 * label arrived with the first of the labeled changes that go on until now, and what was known is the change before.
 */
export function learnedFrom(group: FeatureGroup, rows: readonly TimedChange[]): Learned[] {
  const label = columnsOf(group).findIndex(({ feature }) => feature === 'label');
  const byRecord = Map.groupBy(rows, (row) => row.recordIdentifier);
  return [...byRecord].flatMap(([recordIdentifier, copies]) => {
    const byEventTime = copies.toSorted((a, b) => a.eventTimeMs - b.eventTimeMs);
    const distinct = new Map(byEventTime.map((row) => [`${row.sequenceNumber} ${isRepair(row)}`, row]));
    const history = [...distinct.values()]
      .filter((row) => !isKept(group, row))
      .sort(
        (a, b) =>
          eventSecond(a) - eventSecond(b) ||
          compareSequenceNumbers(a.sequenceNumber, b.sequenceNumber) ||
          a.eventTimeMs - b.eventTimeMs,
      );
    const latest = history.at(-1);
    const now = latest && featureTexts(group, latest)[label];
    if (now === undefined || now === null) return [];
    const before = history.findLastIndex((row) => (row.values?.[label] ?? undefined) === undefined);
    const arrival = history[before + 1];
    const asOf = history[before]?.values ? history[before] : arrival;
    const isInexact =
      group.trainingTime === 'as-of-label' && asOf === arrival && /^(MODIFY|REPAIR)$/.test(arrival?.eventName ?? '');
    const texts = featureTexts(group, (group.trainingTime === 'latest' ? latest : asOf) as TimedChange);
    const features = columnsOf(group).map(({ name }, index) => [name, texts[index] ?? undefined] as const);
    return [{ recordIdentifier, label: now, features: Object.fromEntries(features), isInexact }];
  });
}
