import { EnvelopeProblem } from '../changes/problem.ts';
import { identifierOf } from '../changes/record-identifier.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';

/** Which of the waiting records are to be put right: those of which all that is given holds. */
export interface RedriveSelection {
  /** Reason's name, such as `wrong-type`. */
  readonly reason?: string;
  /** Place in the stream record, such as `dynamodb.NewImage.age`. */
  readonly place?: string;
  /** Record identifier. */
  readonly item?: string;
}

/** A waiting record, as far as it is chosen by. */
interface Candidate {
  readonly kind: string;
  readonly path: string;
  readonly record: unknown;
}

/** The names of a selection, which a request may have. */
export const SELECTED_BY = ['reason', 'place', 'item'] as const;

/** Says of a waiting record whether it is chosen. One whose key makes no identifier is of no item. */
export function selectionTest(
  group: FeatureGroup,
  { reason, place, item }: RedriveSelection,
): (record: Candidate) => boolean {
  return ({ kind, path, record }) =>
    (reason === undefined || kind === reason) &&
    (place === undefined || path === place) &&
    (item === undefined || identifierIn(group, record) === item);
}

/** The identifier of the item that a stream record is of; undefined where its key makes none. */
function identifierIn(group: FeatureGroup, record: unknown): string | undefined {
  const { Keys } = (record as { dynamodb?: { Keys?: Parameters<typeof identifierOf>[0] } } | null)?.dynamodb ?? {};
  const identifier = identifierOf(Keys, group);
  return identifier instanceof EnvelopeProblem ? undefined : identifier;
}
