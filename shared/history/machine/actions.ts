import { leaveBackfill } from '../../state/backfill/run.ts';
import { type Begun, begin } from './begin.ts';
import type { HistoryDependencies, Invocation } from './dependencies.ts';
import { type Ended, ending, type SweepOrder } from './ending.ts';
import { type Exported, exporting } from './exporting.ts';
import { type FileOrder, type Listed, listing, type Running, working } from './files.ts';

/** What the state machine asks of the function, which the names of its states tell too. */
export type HistoryRequest =
  | { readonly action: 'begin'; readonly execution: string; readonly input: unknown }
  | ({ readonly action: 'export' } & Running)
  | ({ readonly action: 'list' } & Running)
  | ({ readonly action: 'work' } & FileOrder)
  | ({ readonly action: 'end'; readonly sweep: SweepOrder } & Running)
  | ({ readonly action: 'leave' } & Running);

export type HistoryAnswer = Begun | Exported | Listed | Ended | { readonly done: boolean };

/** Does what the state machine asks for. Each action may be asked for again, also when its answer was lost. */
export async function act(
  request: HistoryRequest,
  invocation: Invocation,
  dependencies: HistoryDependencies,
): Promise<HistoryAnswer> {
  switch (request.action) {
    case 'begin':
      return begin(request.execution, request.input, dependencies);
    case 'export':
      return exporting({ execution: request.execution, runId: request.run.runId }, dependencies);
    case 'list':
      return listing(request, dependencies);
    case 'work':
      return working(request, invocation, dependencies);
    case 'end':
      return ending(request, request.sweep, invocation, dependencies);
    case 'leave':
      return { done: await leaveBackfill(dependencies.table, request.run.runId, request.execution) };
    default:
      throw new Error(
        `action is ${JSON.stringify((request as { action?: unknown })?.action)}: expected one that the state machine asks for; nothing was done`,
      );
  }
}
