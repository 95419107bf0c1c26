import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { RedriveAnswer } from '../../../shared/delivery/redrive.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { rollBack } from '../../../shared/promotion/rollback.ts';
import { readEpochState } from '../../../shared/state/epochs.ts';
import { answerApproval, pauseLoop, resumeLoop } from '../../../shared/state/intervention.ts';
import type { Actions } from '../../console/console-options.ts';
import type { LiveSources } from '../../insight/live/live-sources.ts';
import { type ClientSettings, invokeFunction } from '../target.ts';

/** Objects of the quarantine bucket that one press of a button puts right. */
const OBJECTS_MAX = 1_000;

/** What a person may do from the console: what the commands of the same names do. */
export function actionsOn(sources: LiveSources, settings: ClientSettings & { readonly endpoint?: string }): Actions {
  const { stack, group, config, dynamodb, names } = sources;
  const table = { name: names.stateTable, dynamodb };
  const answerWaiting = async (approved: boolean, reason: string) => {
    const { training } = await readEpochState(table);
    if (!training?.approval || training.approval.answer) throw new Error('No challenger waits for a person.');
    const answer = { approved, reason, at: new Date().toISOString() };
    if (!(await answerApproval(table, training, answer))) throw new Error('No challenger waits any more.');
    return `${training.approval.modelName} is ${approved ? 'approved, and will be deployed' : 'refused'}.`;
  };
  return {
    async retrain({ reason }) {
      const request = { action: 'train', reason, dryRun: false };
      const answer = await invokeFunction<{ decision: string; reason: string }>(`${stack}-retrain`, settings, request);
      return `${answer.decision}: ${answer.reason}`;
    },
    async pause({ reason }) {
      await pauseLoop(table, reason, Date.now());
      return 'The loop is paused.';
    },
    async resume() {
      return (await resumeLoop(table)) ? 'The loop goes on.' : 'The loop was not paused.';
    },
    approve: ({ reason }) => answerWaiting(true, reason),
    reject: ({ reason }) => answerWaiting(false, reason),
    async rollback({ reason }) {
      const clients = {
        sagemaker: new SageMakerClient(settings),
        autoscaling: new ApplicationAutoScalingClient(settings),
      };
      try {
        const { endpointName, endpointPollSeconds } = config;
        const request = { endpointName, schemaHash: schemaHash(group), pollMs: endpointPollSeconds * 1_000, reason };
        const { from, to } = await rollBack({ table, ...clients }, request, Date.now);
        return `${to.modelName} serves again, in place of ${from.modelName}. The loop is paused.`;
      } finally {
        for (const client of Object.values(clients)) client.destroy();
      }
    },
    async redrive({ selection }) {
      const request = { action: 'redrive', limit: OBJECTS_MAX, ...selection };
      const answer = await invokeFunction<RedriveAnswer>(`${stack}-redrive`, settings, request);
      const [first] = answer.waiting;
      const waiting = first ? `; ${answer.waiting.length} still wait, the first because ${first.reason}` : '';
      return `${answer.redriven.length} objects put right${waiting}.`;
    },
  };
}
