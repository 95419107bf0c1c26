import { describe, expect, test } from 'vitest';
import { kindOf, reasonOf } from '../../../shared/training/attempt/failure.ts';

describe('a failure', () => {
  test.each([
    ['TooFewRows', 'labels'],
    ['DeploymentRolledBack', 'final'],
    ['ProbeFailed', 'final'],
    ['States.TaskFailed', 'again'],
    ['toString', 'again'],
  ])('%s is of the kind %s', (error, kind) => {
    expect(kindOf(error)).toBe(kind);
  });

  test.each([
    ['a training job', '{"TrainingJobName":"j","FailureReason":"AlgorithmError: no rows"}', 'AlgorithmError: no rows'],
    ['a query', '{"QueryExecution":{"Status":{"StateChangeReason":"SYNTAX_ERROR: line 1"}}}', 'SYNTAX_ERROR: line 1'],
    ['a function', '{"errorMessage":"it broke","errorType":"Error"}', 'it broke'],
    ['another kind', '{"Something":"else"}', '{"Something":"else"}'],
    ['plain text', 'Could not find endpoint', 'Could not find endpoint'],
    ['null', 'null', 'null'],
  ])('of %s is told by its own reason', (_, cause, reason) => {
    expect(reasonOf(cause)).toBe(reason);
  });
});
