import { describe, expect, test } from 'vitest';
import { trainingImage } from '../../../shared/training/images.ts';

describe('training images', () => {
  test('are looked up by algorithm and region', () => {
    expect(trainingImage('linear-learner', 'us-east-1')).toBe(
      '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1',
    );
    expect(trainingImage('xgboost', 'eu-west-1')).toBe(
      '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1',
    );
  });

  test('of China have their own domain', () => {
    expect(trainingImage('linear-learner', 'cn-north-1')).toContain('.dkr.ecr.cn-north-1.amazonaws.com.cn/');
  });

  test('of an unknown region are refused, naming the known ones', () => {
    expect(() => trainingImage('xgboost', 'mars-1')).toThrow(/"mars-1".*us-east-1/);
  });
});
