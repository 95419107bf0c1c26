import { GetExecutionHistoryCommand, type HistoryEvent, paginateGetExecutionHistory } from '@aws-sdk/client-sfn';
import type { LiveSources } from './live-sources.ts';

/** Newest events that are looked at for the state that an execution is in. */
const EVENTS_LOOKED_AT = 20;

/** A state that an execution has been in. */
export interface EnteredState {
  readonly name: string;
  readonly enteredMs: number;
  /** Absent: it is in this state now. */
  readonly leftMs?: number;
}

/** ARN of an execution of the retraining's state machine. */
export const executionArn = ({ config }: Pick<LiveSources, 'config'>, name: string): string =>
  `${config.stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;

/** The state that an execution has entered last; undefined before its first, and when it is not there any more. */
export async function stateOf(sources: LiveSources, execution: string): Promise<string | undefined> {
  const events = await unlessGone(async () => {
    const answer = await sources.stepFunctions.send(
      new GetExecutionHistoryCommand({
        ...{ executionArn: executionArn(sources, execution), reverseOrder: true },
        ...{ maxResults: EVENTS_LOOKED_AT, includeExecutionData: false },
      }),
    );
    return answer.events ?? [];
  });
  return events.flatMap((it) => enteredName(it) ?? [])[0];
}

/** All states of an execution in their order; none when it is not there any more: AWS keeps one for 90 days. */
export async function statesOf(sources: LiveSources, execution: string): Promise<EnteredState[]> {
  const events = await unlessGone(async () => {
    const request = { executionArn: executionArn(sources, execution), includeExecutionData: false };
    const found: HistoryEvent[] = [];
    for await (const page of paginateGetExecutionHistory({ client: sources.stepFunctions }, request))
      found.push(...(page.events ?? []));
    return found;
  });
  const entered = events.filter((it) => enteredName(it) !== undefined);
  const endMs = events.find(({ type = '' }) => /^Execution(?!Started)/.test(type))?.timestamp?.getTime();
  return entered.map((it, index) => {
    const leftMs = entered[index + 1]?.timestamp?.getTime() ?? endMs;
    return {
      ...{ name: enteredName(it) ?? '', enteredMs: it.timestamp?.getTime() ?? 0 },
      ...(leftMs !== undefined && { leftMs }),
    };
  });
}

const enteredName = ({ stateEnteredEventDetails }: HistoryEvent): string | undefined => stateEnteredEventDetails?.name;

async function unlessGone(read: () => Promise<HistoryEvent[]>): Promise<HistoryEvent[]> {
  try {
    return await read();
  } catch (error) {
    if ((error as Error).name === 'ExecutionDoesNotExist') return [];
    throw error;
  }
}
