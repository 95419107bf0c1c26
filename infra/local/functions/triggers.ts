import type { DatabaseSync } from 'node:sqlite';
import type { VendedMetrics } from '../cloudwatch/vended-metrics.ts';
import type { DynamoDbBackEnd } from '../dynamodb/back-end.ts';
import type { EventSourceMappingInput } from '../event-source-mapping/config.ts';
import { startEventSourceMapping } from '../event-source-mapping/event-source-mapping.ts';
import type { LambdaRuntime } from '../lambda/runtime.ts';
import { startSchedule } from '../lambda/schedule.ts';
import type { Call, Caller } from '../protocol/service.ts';
import type { Stack } from '../stack/stack.ts';
import type { Closers } from '../storage/closers.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export interface TriggerDeps {
  readonly callAs: (caller: Caller) => Call;
  readonly objectsAs: (caller: Caller) => ObjectStore;
  readonly runtime: LambdaRuntime;
  readonly vended: VendedMetrics;
  readonly db: DatabaseSync;
  readonly report: (problem: string) => void;
  readonly onWrite: DynamoDbBackEnd['onWrite'];
}

/** Starts event source mappings and schedules; gives what waits for the streams to be handled. */
export function startTriggers(
  stack: Stack,
  mappings: readonly EventSourceMappingInput[],
  { callAs, objectsAs, runtime, vended, ...rest }: TriggerDeps,
  closers: Closers,
): () => Promise<void> {
  const started = mappings.map((mapping) => {
    const name = mapping.FunctionName;
    // Lambda reads the stream, and writes what it gives up, with the function's role.
    const caller = { roleArn: runtime.find(name).roleArn ?? '', session: name };
    const invoke = (functionName: string, payload: string) => {
      vended.iteratorAge(functionName, payload, Date.now());
      return runtime.invoke(functionName, payload);
    };
    const deps = { ...rest, call: callAs(caller), objects: objectsAs(caller), invoke };
    return closers.add(startEventSourceMapping(mapping, deps), (it) => it.stop());
  });
  for (const { name, schedules } of stack.functions) {
    for (const schedule of schedules) {
      closers.add(
        startSchedule(schedule, (payload) => runtime.invoke(name, payload), rest.report),
        (stop) => stop(),
      );
    }
  }
  return async () => {
    // Handling one table's stream writes to the next one's: as many rounds as there are streams reach the last.
    for (const _ of started) await Promise.all(started.map((mapping) => mapping.idle()));
  };
}
