import { createHash } from 'node:crypto';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import { statementTime } from '../dating.ts';
import type { HistoryFile, HistoryForm } from '../history.ts';
import type { TableExport } from '../manifest.ts';
import type { Place } from '../places.ts';

/** Files that state how items were as of one moment: those of an export, or what a person names. */
export interface Source {
  readonly form: HistoryForm;
  /** As of when, in epoch milliseconds. */
  readonly asOfMs: number;
  /** Of an incremental export, whether lines also say how items were before. */
  readonly oldImages?: boolean;
  readonly files: readonly {
    readonly key: string;
    readonly name: string;
    readonly items?: number;
    readonly md5?: string;
  }[];
}

/** What a backfill reads of an export. */
export const sourceOfExport = ({ kind, asOfMs, oldImages, files }: TableExport, place: Place): Source => ({
  ...{ form: kind, asOfMs, oldImages },
  files: files.map((file) => ({ ...file, name: place.nameOf(file.key) })),
});

/** How far clocks may differ, and when the backfill has begun to record, in epoch milliseconds. */
export interface Clocks {
  readonly marginSeconds: number;
  readonly sinceMs: number;
}

/** Whether items may have been deleted after the statement, and before the recording that deletes leave tombstones for. */
const isBeforeRecording = ({ asOfMs }: Source, { marginSeconds, sinceMs }: Clocks): boolean =>
  asOfMs < sinceMs + 2 * marginSeconds * 1_000;

/** A file of a backfill, and whether its statements may be of items that were deleted before it began to record. */
export interface PlannedFile {
  readonly file: HistoryFile;
  readonly looksAtTable: boolean;
}

/** A scan of the table. */
export interface PlannedScan {
  /** Its number among all exports and scans that were ever read into the feature group. */
  readonly exportNumber: number;
  /** How many parts of the table are read at once. */
  readonly segments: number;
  /** Read units a second at most, of all segments. */
  readonly readUnits: number;
  /** Not begun before, in epoch milliseconds. */
  readonly notBeforeMs: number;
}

/**
 * The scan of a backfill. It begins after the recording: whoever deletes without leaving a tombstone has read that none
 * records, of items that were gone by then, and no page shows those. A change that a page does not show is delivered, if
 * the page is read two margins after the stream is.
 */
export function plannedScan(
  given: Pick<PlannedScan, 'segments' | 'readUnits'>,
  exportNumber: number,
  marginSeconds: number,
  coveredSinceMs: number,
): PlannedScan {
  return { ...given, exportNumber, notBeforeMs: coveredSinceMs + 2 * marginSeconds * 1_000 };
}

/**
 * The files of a backfill, in the order in which they are worked.
 *
 * @param firstExport number of the first of the sources among all that were ever read into the feature group.
 */
export function plannedFiles(sources: readonly Source[], firstExport: number, clocks: Clocks): PlannedFile[] {
  return sources.flatMap((source, index) => {
    const { form, asOfMs, files } = source;
    const looksAtTable = isBeforeRecording(source, clocks);
    const eventTimeMs = statementTime(asOfMs, clocks.marginSeconds);
    return files.map((file, fileNumber) => ({
      file: { ...file, form, exportNumber: firstExport + index, fileNumber, eventTimeMs },
      looksAtTable,
    }));
  });
}

/** Why a feature group cannot be backfilled at all, in one sentence; undefined when it can. */
export function refusalOfGroup({ name, eventTime, onDelete, onTtlExpiry }: FeatureGroup): string | undefined {
  if (eventTime.attribute !== undefined) {
    return `The event times of ${name} come from the attribute ${eventTime.attribute}: a backfill has only the moment of its export to date items by. Write each item anew instead.`;
  }
  if (onDelete === onTtlExpiry) return undefined;
  return `Of ${name}, onDelete and onTtlExpiry differ, and neither an export nor the table says which of them removed an item. Write each item anew instead.`;
}

/**
 * Why a feature group cannot be backfilled from these sources, in one sentence; undefined when it can.
 *
 * @param coveredSinceMs since when every change of the table is delivered, in epoch milliseconds.
 */
export function refusalOf(
  group: FeatureGroup,
  sources: readonly Source[],
  clocks: Clocks,
  coveredSinceMs: number,
): string | undefined {
  const refusal = refusalOfGroup(group);
  if (refusal !== undefined) return refusal;
  const { name, items } = group;
  const last = sources.at(-1);
  if (!last) return 'There is nothing to read.';
  const newestMs = coveredSinceMs + 2 * clocks.marginSeconds * 1_000;
  if (last.asOfMs < newestMs) {
    const [asOf, needed] = [last.asOfMs, newestMs].map((ms) => new Date(ms).toISOString());
    return `The export is as of ${asOf}; the stream is read since ${new Date(coveredSinceMs).toISOString()}, and changes in between would be lost: export the table as of ${needed} or later.`;
  }
  if (items !== undefined && sources.some(({ form, oldImages }) => form === 'incremental' && !oldImages)) {
    return `The definition of ${name} takes some items only, and an incremental export of new images does not say which items were records before: export it with NEW_AND_OLD_IMAGES.`;
  }
  return undefined;
}

/** Tells a definition from what it was before: whatever a backfill writes depends on it. */
export function definitionHash(group: FeatureGroup): string {
  const text = JSON.stringify(group, (_, value) =>
    typeof value === 'bigint' || typeof value === 'function' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
