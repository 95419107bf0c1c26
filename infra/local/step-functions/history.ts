import type { StateMachine } from 'aws-local-stepfunctions';
import type { Definition } from './definition.ts';
import type { ExecutionRecord, ExecutionStatus, HistoryEvent } from './execution-records.ts';
import { integrationOf } from './integration.ts';

/** What the interpreter logs. */
export type LogEvent = ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

const COMPLETE = { truncated: false };

/** The history event of what the interpreter logged: states entered and left, and tasks and maps that failed. */
export function historyEventOf(event: LogEvent, definition: Definition): HistoryEvent | undefined {
  const timestampMs = event.timestamp;
  // To the interpreter a Map is a task.
  const type = 'state' in event && definition.States[event.state.name]?.Type;
  if (event.type === 'StateEntered') {
    const { name, input } = event.state;
    const details = { name, input: JSON.stringify(input), inputDetails: COMPLETE };
    return { type: `${type}StateEntered`, timestampMs, details: { stateEnteredEventDetails: details } };
  }
  if (event.type === 'StateExited') {
    const { name, output } = event.state;
    const details = { name, output: JSON.stringify(output), outputDetails: COMPLETE };
    return { type: `${type}StateExited`, timestampMs, details: { stateExitedEventDetails: details } };
  }
  if (event.type === 'StateFailed' && type === 'Map') return { type: 'MapStateFailed', timestampMs, details: {} };
  if (event.type === 'StateFailed' && type === 'Task') {
    const { resourceType, resource } = integrationOf(
      event.state.name,
      String(definition.States[event.state.name]?.Resource),
    );
    const details = { resourceType, resource, error: event.Error, cause: String(event.Cause) };
    return event.Error === 'States.Timeout'
      ? { type: 'TaskTimedOut', timestampMs, details: { taskTimedOutEventDetails: details } }
      : { type: 'TaskFailed', timestampMs, details: { taskFailedEventDetails: details } };
  }
  return undefined;
}

/** The first event of a history. */
export function startedEvent({ input, startMs }: ExecutionRecord, roleArn: string): HistoryEvent {
  const details = { input, inputDetails: COMPLETE, roleArn };
  return { type: 'ExecutionStarted', timestampMs: startMs, details: { executionStartedEventDetails: details } };
}

/** What an execution has come to. */
export interface Outcome extends Pick<ExecutionRecord, 'output' | 'error' | 'cause'> {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
}

/** The last event of a history. */
export function closedEvent({ status, output, error, cause }: Outcome, stopMs: number): HistoryEvent {
  const failure = { ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) };
  const success = { output, outputDetails: COMPLETE };
  const [type, member, details] = {
    SUCCEEDED: ['ExecutionSucceeded', 'executionSucceededEventDetails', success] as const,
    FAILED: ['ExecutionFailed', 'executionFailedEventDetails', failure] as const,
    TIMED_OUT: ['ExecutionTimedOut', 'executionTimedOutEventDetails', failure] as const,
    ABORTED: ['ExecutionAborted', 'executionAbortedEventDetails', failure] as const,
  }[status];
  return { type, timestampMs: stopMs, details: { [member]: details } };
}

/** Details of an event as `includeExecutionData: false` has them: without inputs and outputs. */
export function withoutData(details: HistoryEvent['details']): HistoryEvent['details'] {
  const isData = ([name]: readonly [string, unknown]) => /^(input|output)(Details)?$/.test(name);
  return Object.fromEntries(
    Object.entries(details).map(([member, all]) => [
      member,
      Object.fromEntries(Object.entries(all).filter((entry) => !isData(entry))),
    ]),
  );
}
