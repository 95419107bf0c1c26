import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetRecordCommand,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';

/** Milliseconds between two looks at the online store: the resolution of the figures. */
const POLL_MS = 50;
/**
 * Changes watched at once: more would cost the pipeline the time that is to be measured. BatchGetRecord takes up to 100.
 */
const WATCHED_MAX = 10;

/** Measures the time from the answer of a write to the moment a reader of the online store sees it. */
export interface LagMeter {
  /** Watches a change that has just been written, unless enough are being watched. `feature`: what it sets, the label or the identifier itself. */
  written(recordIdentifier: string, feature: { readonly name: string; readonly value: string }): void;
  /** Milliseconds of each change seen so far. */
  readonly lagsMs: readonly number[];
  stop(): Promise<void>;
}

export function startLagMeter(featureStore: SageMakerFeatureStoreRuntimeClient, group: FeatureGroup): LagMeter {
  const watched = new Map<string, { since: number; name: string; value: string }>();
  const lagsMs: number[] = [];
  let stopped = false;
  const look = async () => {
    const { Records } = await featureStore.send(
      new BatchGetRecordCommand({
        Identifiers: [
          {
            FeatureGroupName: group.name,
            RecordIdentifiersValueAsString: [...watched.keys()],
            FeatureNames: [group.recordIdentifier.name, labelOf(group).name],
          },
        ],
      }),
    );
    const now = performance.now();
    for (const { RecordIdentifierValueAsString: id = '', Record } of Records ?? []) {
      const change = watched.get(id);
      if (!change || !Record?.some((it) => it.FeatureName === change.name && it.ValueAsString === change.value))
        continue;
      lagsMs.push(now - change.since);
      watched.delete(id);
    }
  };
  const loop = (async () => {
    while (!stopped) {
      if (watched.size > 0) await look();
      await sleep(POLL_MS);
    }
  })();
  // Kept until stop(): a failure there is told, and not as an unhandled rejection before.
  loop.catch(() => undefined);
  return {
    lagsMs,
    written(recordIdentifier, { name, value }) {
      if (watched.size < WATCHED_MAX) watched.set(recordIdentifier, { since: performance.now(), name, value });
    },
    async stop() {
      stopped = true;
      await loop;
    },
  };
}
