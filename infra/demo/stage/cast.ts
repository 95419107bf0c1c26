import type { Customer } from '../customers/customers.ts';
import type { Item } from '../customers/item.ts';
import type { Answer, Report } from '../findings/report.ts';

/** The customers of the demo, and where they are from. */
export interface Cast {
  readonly customers: readonly Customer[];
  /** Items whose label is never known. */
  readonly others: readonly Item[];
  readonly from: string;
  readonly seed: number;
  readonly plan: RetrainingPlan;
}

/** When the demo retrains, and in which order its customers' labels become known. */
export interface RetrainingPlan {
  readonly threshold: number;
  readonly labelsPerClassMin: number;
  /** Customers in the order of their labels. */
  readonly labeled: readonly Customer[];
}

/** Who is changed, deleted and brought back, so that the other acts can keep off them. */
export interface Fates {
  readonly changed: readonly Customer[];
  readonly corrected: Customer;
  readonly deleted: readonly Customer[];
  readonly broughtBack: Customer;
  readonly untouched: readonly Customer[];
}

/** What the acts leave behind for the report. */
export interface Played {
  readonly startedAt: number;
  readonly fates: Fates;
  readonly lagsMs: readonly number[];
  readonly changeLog: Report['changeLog'];
  readonly complete: Report['correlations']['complete'];
  /** What served before the last swap, and what it predicted. */
  readonly before: { readonly configuration: string; readonly answers: readonly Answer[] };
  readonly predicted: readonly Customer[];
  /** Identifier of the record that is wrong, if there is one. */
  readonly bad: string | undefined;
}
