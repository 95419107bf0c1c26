import type { Pace } from '../calls/pace.ts';
import type { Failure, Rejection, TimedChange } from '../changes/change.ts';
import { type Decoded, isChange, isRejection, isSkipped } from '../changes/decode.ts';
import {
  AHEAD_SECONDS_MAX,
  assignEventTimes,
  effectiveOf,
  type Fence,
  type FenceOf,
  placeOf,
} from '../changes/event-order.ts';
import { fencesEveryRecord, isDelete, isKept, lastChangePerRecord } from '../changes/last-change.ts';
import { compareSequenceNumbers } from '../changes/sequence-number.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Sink, SinkResult } from '../sinks/sink.ts';
import type { Fences } from '../state/fences/fences.ts';

/** One stream record and what it decoded to. */
export interface DecodedRecord {
  readonly record: unknown;
  readonly decoded: Decoded;
}

/** What delivery needs from around it. */
export interface Destinations {
  readonly sinks: readonly Sink[];
  readonly fences: Fences;
  quarantine(rejections: readonly Rejection[], pace: Pace): Promise<{ rejection: Rejection; message: string }[]>;
}

/** How many records of the batch went where. recordsIn = the sum of the others save labelEvents. */
export interface Counts {
  readonly recordsIn: number;
  /** Written to the online store, or kept there by the definition's choice. */
  readonly delivered: number;
  /** Overtaken by a later change of the same record in the same batch. */
  readonly superseded: number;
  readonly deleted: number;
  /** In quarantine. Those whose label alone is wrong are delivered, too, without it. */
  readonly quarantined: number;
  /** Changes of items that the definition does not take in. */
  readonly skipped: number;
  /** Answered as failed: Lambda delivers them again. */
  readonly failed: number;
  /** Changes, among those not failed, that brought a label. */
  readonly labelEvents: number;
}

export interface Outcome {
  /** Everything from this sequence number on is to be delivered again; `''`: the whole batch; undefined: nothing. */
  readonly checkpoint: string | undefined;
  /**
   * Epoch second up to which this shard is complete: every change up to it is in the online store and in the change
   * log, or whole in quarantine. Undefined when nothing was delivered, or when event times come from the items.
   */
  readonly completeThrough: number | undefined;
  readonly counts: Counts;
  readonly rejections: readonly Rejection[];
  readonly failures: readonly Failure[];
}

/**
 * Delivers a batch to every sink, and works out from where it has to be delivered again.
 *
 * The order of the steps is what the guarantees rest on: event times need the fences that the previous batch left; the
 * sinks may then be written in any order; a fence is left only for changes that every sink has taken, and a change is
 * acknowledged only once its fence stands.
 *
 * @param hazardSeconds how far two records of a shard may be out of step in their seconds
 */
export async function deliver(
  group: FeatureGroup,
  batch: readonly DecodedRecord[],
  destinations: Destinations,
  hazardSeconds: number,
  paces: { readonly sinks: Pace; readonly fences: Pace },
): Promise<Outcome> {
  const decoded = batch.map((it) => it.decoded);
  const changes = decoded.filter(isChange);
  const rejections = decoded.filter(isRejection);
  const hazard = fencesEveryRecord(group) ? Number.POSITIVE_INFINITY : hazardSeconds;

  let found: ReadonlyMap<string, Fence>;
  try {
    const firstSecond = changes.reduce((least, { second }) => Math.min(least, second), Number.POSITIVE_INFINITY);
    const atRisk = changes.filter(({ second }) => second <= firstSecond + hazard + AHEAD_SECONDS_MAX);
    const aheadSeconds = hazardSeconds + AHEAD_SECONDS_MAX;
    found = await destinations.fences.read(
      atRisk.map(({ recordIdentifier, second }) => ({ recordIdentifier, from: second, to: second + aheadSeconds })),
      paces.sinks,
    );
  } catch (error) {
    return wholeBatchFailed(batch, (error as Error).message);
  }

  const timed = assignEventTimes(changes, found, hazardSeconds);
  const results = await Promise.all(destinations.sinks.map((sink) => sink.write(timed, paces.sinks)));
  const failures = results.flatMap((result) => result.failures);
  rejections.push(
    ...refusedRecords(
      batch,
      results.flatMap((result) => result.rejections),
    ),
  );
  const refused = new Set(rejections.map(({ sequenceNumber }) => sequenceNumber));
  const wrongLabels = changes
    .flatMap(({ wrongLabel }) => wrongLabel ?? [])
    .filter(({ sequenceNumber }) => !refused.has(sequenceNumber));
  const kept = [...rejections, ...wrongLabels];
  for (const { rejection, message } of await destinations.quarantine(kept, paces.sinks)) {
    // A record without a sequence number can only be had again with the whole batch.
    if (rejection.sequenceNumber === undefined) return wholeBatchFailed(batch, message);
    failures.push({ sequenceNumber: rejection.sequenceNumber, message });
  }

  let checkpoint = lowest(failures);
  for (;;) {
    const fences = fencesToLeave(group, timed, checkpoint, hazard, found);
    const fenceFailures = await destinations.fences.write(fences, found, paces.fences);
    if (fenceFailures.length === 0) break;
    failures.push(...fenceFailures);
    // Each step back needs fences of its own, for which there is no time any more.
    if (paces.fences.now() >= paces.fences.deadline) failures.push(...timed.map(unfenced));
    checkpoint = lowest(failures);
  }
  return {
    checkpoint,
    completeThrough:
      group.eventTime.attribute === undefined ? completeThrough(decoded, checkpoint, hazardSeconds) : undefined,
    failures,
    rejections: kept,
    counts: count(group, batch, timed, kept, checkpoint),
  };
}

/** The last delivered second, less what records of a shard may be out of step by: more of that second may follow. */
function completeThrough(
  decoded: readonly Decoded[],
  checkpoint: string | undefined,
  hazard: number,
): number | undefined {
  const last = decoded.findLast((it) => !isRejection(it) && isBefore(it.sequenceNumber, checkpoint));
  if (last === undefined || isRejection(last) || last.second === undefined) return undefined;
  return last.second - hazard - 1;
}

const unfenced = ({ sequenceNumber }: TimedChange): Failure => ({ sequenceNumber, message: 'fence: no time left' });

/**
 * The fences that the next batch may need: of each record's last change, in the last seconds before the checkpoint. A
 * removal that the definition keeps leaves in force what took effect before it, in the batch or by the fence found.
 */
function fencesToLeave(
  group: FeatureGroup,
  timed: readonly TimedChange[],
  checkpoint: string | undefined,
  hazard: number,
  found: ReadonlyMap<string, Fence>,
): FenceOf[] {
  const done = timed.filter(({ sequenceNumber }) => isBefore(sequenceNumber, checkpoint));
  const lastSecond = done.reduce((latest, { second }) => Math.max(latest, second), 0);
  const last = new Map<string, FenceOf>();
  // By event time, not by second: a record's clock may be ahead of its last change's second.
  for (const change of done) {
    const { recordIdentifier } = change;
    if (change.eventTimeMs < (lastSecond - hazard) * 1_000) continue;
    if (!isKept(group, change)) last.set(recordIdentifier, { change });
    else {
      const before = last.get(recordIdentifier);
      const effective = before
        ? (before.effective ?? placeOf(before.change))
        : effectiveOf(found.get(recordIdentifier));
      last.set(recordIdentifier, { change, effective });
    }
  }
  return [...last.values()];
}

function refusedRecords(batch: readonly DecodedRecord[], refused: SinkResult['rejections']): Rejection[] {
  if (refused.length === 0) return [];
  const records = new Map(batch.map(({ record, decoded }) => [decoded.sequenceNumber, record]));
  return refused.map(({ change: { sequenceNumber }, message, detail }) => ({
    sequenceNumber,
    reason: 'refused-by-feature-store',
    path: 'dynamodb.NewImage',
    message,
    detail,
    record: records.get(sequenceNumber),
  }));
}

function lowest(failures: readonly Failure[]): string | undefined {
  return failures
    .map(({ sequenceNumber }) => sequenceNumber)
    .reduce<string | undefined>(
      (least, it) => (least === undefined || compareSequenceNumbers(it, least) < 0 ? it : least),
      undefined,
    );
}

function isBefore(sequenceNumber: string, checkpoint: string | undefined): boolean {
  return checkpoint === undefined || compareSequenceNumbers(sequenceNumber, checkpoint) < 0;
}

function count(
  group: FeatureGroup,
  batch: readonly DecodedRecord[],
  timed: readonly TimedChange[],
  rejections: readonly Rejection[],
  checkpoint: string | undefined,
): Counts {
  const done = timed.filter(({ sequenceNumber }) => isBefore(sequenceNumber, checkpoint));
  const quarantined = rejections.filter((it) => isBefore(it.sequenceNumber ?? '0', checkpoint));
  const skipped = batch.filter(({ decoded: it }) => isSkipped(it) && isBefore(it.sequenceNumber, checkpoint)).length;
  const refused = new Set(rejections.map(({ sequenceNumber }) => sequenceNumber));
  const written = new Set(lastChangePerRecord(group, timed));
  const accepted = done.filter(({ sequenceNumber }) => !refused.has(sequenceNumber));
  const deleted = accepted.filter((change) => written.has(change) && isDelete(group, change)).length;
  const delivered = accepted.filter(
    (change) => isKept(group, change) || (written.has(change) && !isDelete(group, change)),
  ).length;
  return {
    recordsIn: batch.length,
    delivered,
    deleted,
    superseded: accepted.length - delivered - deleted,
    quarantined: quarantined.length,
    skipped,
    failed: batch.length - accepted.length - quarantined.length - skipped,
    labelEvents: done.filter(({ newLabel }) => newLabel !== undefined).length,
  };
}

function wholeBatchFailed(batch: readonly DecodedRecord[], message: string): Outcome {
  const none = { delivered: 0, superseded: 0, deleted: 0, quarantined: 0, skipped: 0, labelEvents: 0 };
  return {
    checkpoint: '',
    completeThrough: undefined,
    counts: { ...none, recordsIn: batch.length, failed: batch.length },
    rejections: [],
    failures: [{ sequenceNumber: '', message }],
  };
}
