import type { Correlations } from '../stage/material.ts';
import type { Difference } from './online-store.ts';
import type { Quarantined } from './quarantine.ts';

/** Something that must hold after the demo, and whether it did. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, in one line. */
  readonly detail: string;
}

/** A training, as the closed epoch's evidence tells it. */
export interface Training {
  readonly epoch: number;
  /** Labeled rows it learned from, was validated on and judged by. */
  readonly rows: number;
  readonly trainRows: number;
  readonly validationRows: number;
  readonly judgeRows: number;
  /** Area under the ROC curve on the rows to judge by, which nothing has chosen by. */
  readonly auc: number | null;
  readonly trainingJobName: string;
  /** What the endpoint serves since; null when the model was refused, as the one that serves is better. */
  readonly endpointConfigName: string | null;
}

/** A customer's score by the model before the last swap and the one after it. */
export interface Prediction {
  readonly recordIdentifier: string | null;
  readonly before: Answer | null;
  readonly after: Answer;
}

/** What `predict` answers. */
export interface Answer {
  readonly score: number;
  readonly predicted_label: number;
  readonly model: string;
}

/** Everything the demo found; what `--json` writes. */
export interface Report {
  readonly source: {
    readonly customers: number;
    /** What they are called. */
    readonly plural: string;
    readonly from: string;
    readonly seed: number;
  };
  readonly threshold: number;
  readonly seconds: number;
  readonly changes: {
    readonly written: number;
    readonly inserted: number;
    readonly updated: number;
    readonly deleted: number;
  };
  readonly lag: {
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly samples: number;
    /** Milliseconds of each lag for which Lambda gathers a batch before it invokes ingest. */
    readonly batchWindowMs: number;
  };
  readonly changeLog: { readonly rows: number; readonly distinct: number; readonly files: number };
  readonly labels: {
    readonly counted: number;
    readonly distinct: number;
    readonly byClass: Readonly<Record<'0' | '1', number>>;
  };
  readonly trainings: readonly Training[];
  readonly endpoint: { readonly name: string; readonly before: string | null; readonly after: string | null };
  readonly predictions: readonly Prediction[];
  readonly correlations: {
    /** Every customer labeled, none deleted or changed again: by the query, and from the rows that were written. */
    readonly complete: Correlations;
    readonly completeFromRows: Correlations;
    /** At the end: by the query, and from a scan of the table. */
    readonly final: Correlations;
    readonly finalFromTable: Correlations;
  };
  readonly onlineStore: {
    readonly records: number;
    readonly equalsTable: boolean;
    readonly differences: readonly Difference[];
  };
  readonly quarantine: readonly Quarantined[];
  readonly checks: readonly Check[];
}
