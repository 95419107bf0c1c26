import type { Action } from '../engine/action.ts';
import { type Checked, integer, invalid, refuse, rules, validationOf } from '../engine/dynalite.ts';
import type { Item } from '../engine/image.ts';
import { EVERYTHING, type KeyRange, type Store } from '../engine/store.ts';
import { keyNames } from '../engine/table.ts';
import { checkPaths, checkSelect, problemOfSelect, readPage, type Source, sourceOf, startBytes } from './page.ts';

/** Hashes, of which each segment of a parallel scan has its part: the first twelve bits of keys. */
const HASHES = 4_096;

/** Segments of a parallel scan. Source: the API model; dynalite knows no upper limit. */
const SEGMENTS_MAX = 1_000_000;
const SEGMENTS = { TotalSegments: integer(1, SEGMENTS_MAX), Segment: integer(0, SEGMENTS_MAX - 1) };

export function scanAction(store: Store): Action {
  const { types, custom } = validationOf('Scan');
  return {
    rules: {
      // dynalite does not know it of Scan, and every read of a table here is consistent.
      types: { ...types, ConsistentRead: 'Boolean', ...SEGMENTS },
      custom: (data: Checked, shared: object) =>
        problemOfSegment(data) ?? custom?.(data as never, shared) ?? problemOfSelect(data),
    },
    run: (data: Checked) => scan(store, data),
  };
}

/** Reads a page of a table or an index, or of a segment of it. @throws AwsError */
export function scan(store: Store, data: Checked): object {
  const source = sourceOf(store, data);
  const start = data.ExclusiveStartKey;
  if (start) checkStart(source, start);
  checkSelect(source, data);
  const segment = segmentOf(data);
  const from = start && startBytes(source, start);
  if (from && !(Buffer.compare(from, segment.from) >= 0 && Buffer.compare(from, segment.to) < 0)) {
    throw invalid(
      `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: ${data.TotalSegments} Segment: ${data.Segment}`,
    );
  }
  checkPaths(source, data);
  // A key is passed over by a byte more than it has.
  const range = from ? { from: Buffer.concat([from, Buffer.alloc(1)]), to: segment.to } : segment;
  return readPage(store, source, range, data);
}

function problemOfSegment({ Segment, TotalSegments }: Checked): string | undefined {
  if (Segment === undefined || TotalSegments !== undefined) return undefined;
  return 'The TotalSegments parameter is required but was not present in the request when Segment parameter is present';
}

function checkStart({ table, index, layout }: Source, start: Item): void {
  const names = keyNames(table, index);
  if (Object.keys(start).length !== names.length) {
    throw invalid(
      index
        ? 'The provided starting key is invalid'
        : 'The provided starting key is invalid: The provided key element does not match the schema',
    );
  }
  if (index) {
    for (const [position, { name, type }] of [...layout.hash, ...layout.range].entries()) {
      if (!start[name]) throw invalid('The provided starting key is invalid');
      refuse(rules.validateKeyPiece(start, name, type, position === 0));
    }
  }
  checkTableKey(table, start);
}

/** @throws AwsError when the table's own key within a starting key does not fit its schema. */
export function checkTableKey({ description }: Source['table'], start: Item): void {
  const key = Object.fromEntries(
    description.KeySchema.map(({ AttributeName: name }) => [name, start[name]]).filter(([, value]) => value),
  );
  const refusal = rules.validateKey(key, description);
  if (refusal) throw invalid(`The provided starting key is invalid: ${refusal.message}`);
}

function segmentOf({ Segment = 0, TotalSegments = 1 }: Checked): KeyRange {
  if (TotalSegments === 1) return EVERYTHING;
  const hashAt = (segment: number) => {
    const hash = Math.ceil((HASHES * segment) / TotalSegments);
    return Buffer.from([hash >> 4, (hash & 15) << 4, 0]);
  };
  return {
    from: Segment === 0 ? EVERYTHING.from : hashAt(Segment),
    to: Segment + 1 === TotalSegments ? EVERYTHING.to : hashAt(Segment + 1),
  };
}
