import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roleOf } from '../../../infra/aws/cloudformation/iam.ts';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { alarmNames, endpointName, executionName } from '../../../shared/model/names.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';
import { accounts } from '../../given/builders.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

/** Longest name of a training job, transform job, model, endpoint or endpoint configuration. Source: SageMaker API. */
const SAGEMAKER_NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;

/** Longest name of an execution. Source: StartExecution. */
const EXECUTION_NAME_MAX = 80;

const groupName = fc
  .stringMatching(/^[a-zA-Z0-9]([-_]?[a-zA-Z0-9]){0,31}$/)
  .map((it) => it.slice(0, 64).replace(/[-_]+$/, ''));
const longName = fc.stringMatching(/^[a-zA-Z0-9]{40,64}$/);

/** The end of an ARN's pattern, after the account, as text; IAM knows `*` and `?`. */
function patternsOf(resource: unknown): string[] {
  const text = JSON.stringify(resource);
  return [...text.matchAll(/:((?:training-job|transform-job|model|endpoint-config|endpoint|alarm)[/:][^"]+)"/g)].map(
    ([, it = '']) => it,
  );
}

function isMatched(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (it) =>
      it === '*' ? '.*' : it === '?' ? '.' : `\\${it}`,
    );
    return new RegExp(`^${source}$`).test(name);
  });
}

test('every name of every plan is allowed by every role that acts on it, whatever the group is called', () => {
  fc.assert(
    fc.property(
      fc.oneof(groupName, longName),
      fc.stringMatching(/^[a-z]{2,20}$/),
      fc.constantFrom(1, 9, 10, 99_999),
      fc.constantFrom(1, 99),
      fc.constantFrom(Date.UTC(2026, 0, 1), Date.UTC(2037, 0, 1)),
      (name, stage, epoch, attempt, nowMs) => {
        const group = { ...accounts, name };
        const names = namesOf(group, stage);
        const config = retrainConfig({ ...retrainEnvironment, ENDPOINT_NAME: names.endpoint });
        const plan = trainingPlan(group, config, { epoch, attempt }, nowMs);
        const { Resources } = resourcesOf(group, names, STACK_OPTIONS).resources;
        const alarms = alarmNames(plan.endpointConfigName);
        const made = {
          'training-job': [plan.trainingJobName],
          'transform-job': [plan.challengerJobName, plan.championJobName, plan.leaderJobName],
          model: [plan.modelName],
          'endpoint-config': [plan.endpointConfigName],
          endpoint: [plan.endpointName, names.endpoint],
          alarm: [alarms.errorAlarmName, alarms.latencyAlarmName],
        };
        expect(plan.endpointName).toBe(endpointName(names.endpoint, plan.schemaHash));
        for (const it of Object.values(made).flat()) {
          if (!Object.values(alarms).includes(it)) expect(it).toMatch(SAGEMAKER_NAME);
        }
        const statements = ['RetrainRole', 'RetrainingStateMachineRole', 'PredictRole'].flatMap((role) =>
          (roleOf(Resources[role] ?? { Type: '', Properties: {} })?.statements ?? []).map((it) => [role, it] as const),
        );
        for (const [role, { Action, Resource }] of statements) {
          const patterns = patternsOf(Resource);
          for (const [kind, all] of Object.entries(made)) {
            const ofKind = patterns.filter((it) => it.startsWith(`${kind}/`) || it.startsWith(`${kind}:`));
            if (ofKind.length === 0) continue;
            for (const it of all) {
              const full = `${kind}${kind === 'alarm' ? ':' : '/'}${it}`;
              expect(isMatched(ofKind, full), `${role}: ${Action} on ${full}`).toBe(true);
            }
          }
        }
        expect(executionName(name, epoch, attempt).length).toBeLessThanOrEqual(EXECUTION_NAME_MAX);
      },
    ),
    { numRuns: 200 },
  );
});
