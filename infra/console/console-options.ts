import type { LiveSources } from '../insight/live/live-sources.ts';

/** What a person asks of an action. */
export interface ActionRequest {
  /** Why, as the status will show it. */
  readonly reason: string;
  /** Of redrive: which records; absent: all of them. */
  readonly selection?: Readonly<Record<string, string>> | undefined;
}

/** What changes a stack, by the names of the commands that do the same. Each says in a sentence what it has done. */
export type Actions = Readonly<
  Record<
    'retrain' | 'pause' | 'resume' | 'approve' | 'reject' | 'rollback' | 'redrive',
    (request: ActionRequest) => Promise<string>
  >
>;

/** What a console shows, and what it may do. */
export interface ConsoleOptions {
  readonly sources: LiveSources;
  /** What to write behind a command so that it means this stack: `--definition orders --stage dev`. */
  readonly commandOptions: string;
  /** Milliseconds between two looks while somebody watches. On AWS each look costs a few calls. */
  readonly lookMs: number;
  /** What may be done from the page. Absent: it only reads. */
  readonly actions?: Actions | undefined;
  /** Whether records may be read again by themselves: on AWS each reading of the change log is billed. */
  readonly readsFreely: boolean;
}
