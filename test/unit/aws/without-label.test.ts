import { describe, expect, test } from 'vitest';
import { roleOf } from '../../../infra/aws/cloudformation/iam.ts';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { defineFeatureGroup } from '../../../shared/feature-groups/define.ts';
import visits from '../../fixtures/feature-groups/visits.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';

const { resources, trains } = resourcesOf(visits, namesOf(visits, 'prod'), STACK_OPTIONS);
const labeled = defineFeatureGroup({
  ...{ name: 'visits', recordIdentifier: 'visit_id' },
  features: { page: { type: 'boolean' } },
  label: { name: 'bought' },
});
const beside = resourcesOf(labeled, namesOf(labeled, 'prod'), STACK_OPTIONS).resources;

/** What SageMaker is asked of a feature store; everything else of it trains or predicts. */
const OF_THE_FEATURE_STORE = ['PutRecord', 'BatchWriteRecord', 'DeleteRecord', 'BatchGetRecord', 'ListRecords'].map(
  (it) => `sagemaker:${it}`,
);

describe('the stack of a definition without a label', () => {
  test('has no right to train, to deploy or to ask a model', () => {
    const actions = Object.values(resources.Resources)
      .flatMap((it) => roleOf(it)?.statements ?? [])
      .flatMap((it) => it.Action);
    expect(actions.filter((it) => it.startsWith('sagemaker:') && !OF_THE_FEATURE_STORE.includes(it))).toEqual([]);
    expect(actions.filter((it) => /^(ecr|application-autoscaling|events):|iam:PassRole/.test(it))).toEqual([]);
  });

  test('lacks what trains and predicts, and has everything else', () => {
    const lacking = Object.keys(beside.Resources).filter((id) => !(id in resources.Resources));
    expect(lacking.sort()).toEqual([
      'CorrelationQuery',
      'EndpointErrorsAlarm',
      'EndpointSlowAlarm',
      'PredictDeploymentGroup',
      'PredictErrorsAlarm',
      'PredictRole',
      'PredictThrottledAlarm',
      'PredictionsConflictingAlarm',
      'RetrainingStateMachine',
      'RetrainingStateMachineRole',
      'TrainingFailedAlarm',
      'TrainingGivenUpAlarm',
      'TrainingRole',
    ]);
    expect(Object.keys(resources.Resources).filter((id) => !(id in beside.Resources))).toEqual([]);
    expect(trains).toBe(false);
  });

  test('names nothing that it lacks: no output, alarm or graph', () => {
    const text = JSON.stringify(resources);
    for (const gone of ['RetrainingStateMachine', 'TrainingRole', 'PredictRole', 'prod-predict', 'LabelsInEpoch']) {
      expect(text).not.toContain(gone);
    }
  });
});
