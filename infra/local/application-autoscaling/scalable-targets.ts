import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { arn } from '../protocol/arn.ts';

/** What is scaled, of which dimension. */
export interface TargetKey {
  readonly ServiceNamespace: string;
  readonly ResourceId: string;
  readonly ScalableDimension: string;
}

/** DescribeScalableTargets' entry. Times are epoch seconds. */
export interface ScalableTarget extends TargetKey {
  readonly ScalableTargetARN: string;
  readonly RoleARN: string;
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
  readonly SuspendedState: object;
  readonly CreationTime: number;
}

/** DescribeScalingPolicies' entry. */
export interface ScalingPolicy extends TargetKey {
  readonly PolicyARN: string;
  readonly PolicyName: string;
  readonly PolicyType: string;
  readonly CreationTime: number;
}

/** Endpoints' scalable targets and their policies, in SQLite. What is written survives a restart. */
export class ScalableTargets {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`CREATE TABLE IF NOT EXISTS scalable_targets (resource_id TEXT PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS scaling_policies (
        resource_id TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (resource_id, name))`);
  }

  get(resourceId: string): ScalableTarget | undefined {
    const row = this.#db.prepare('SELECT body FROM scalable_targets WHERE resource_id = ?').get(resourceId);
    return row && JSON.parse(String(row.body));
  }

  all(): ScalableTarget[] {
    const rows = this.#db.prepare('SELECT body FROM scalable_targets ORDER BY rowid').all();
    return rows.map((row) => JSON.parse(String(row.body)));
  }

  /** Makes or changes a target. */
  put(key: TargetKey, bounds: Pick<ScalableTarget, 'MinCapacity' | 'MaxCapacity' | 'SuspendedState'>): ScalableTarget {
    const target: ScalableTarget = {
      ScalableTargetARN: arn('application-autoscaling', `scalable-target/${randomUUID().replaceAll('-', '')}`),
      RoleARN:
        'arn:aws:iam::000000000000:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint',
      CreationTime: Date.now() / 1_000,
      ...this.get(key.ResourceId),
      ...key,
      ...bounds,
    };
    this.#db
      .prepare('INSERT INTO scalable_targets VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body')
      .run(key.ResourceId, JSON.stringify(target));
    return target;
  }

  /** Whether there was such a target to delete. Its policies go with it. */
  delete(resourceId: string): boolean {
    this.#db.prepare('DELETE FROM scaling_policies WHERE resource_id = ?').run(resourceId);
    return this.#db.prepare('DELETE FROM scalable_targets WHERE resource_id = ?').run(resourceId).changes === 1;
  }

  policies(resourceId: string | undefined): ScalingPolicy[] {
    const rows = this.#db.prepare('SELECT resource_id, body FROM scaling_policies ORDER BY rowid').all();
    return rows
      .filter((row) => row.resource_id === (resourceId ?? row.resource_id))
      .map((row) => JSON.parse(String(row.body)));
  }

  /** Makes or replaces a policy, which keeps its ARN. */
  putPolicy(given: TargetKey & { readonly PolicyName: string; readonly PolicyType: string }): ScalingPolicy {
    const { ResourceId, PolicyName } = given;
    const before = this.policies(ResourceId).find((it) => it.PolicyName === PolicyName);
    const name = `resource/sagemaker/${ResourceId}:policyName/${PolicyName}`;
    const policy: ScalingPolicy = {
      ...given,
      PolicyARN: before?.PolicyARN ?? arn('autoscaling', `scalingPolicy:${randomUUID()}:${name}`),
      CreationTime: before?.CreationTime ?? Date.now() / 1_000,
    };
    this.#db
      .prepare('INSERT INTO scaling_policies VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body')
      .run(ResourceId, PolicyName, JSON.stringify(policy));
    return policy;
  }

  /** Whether there was such a policy to delete. */
  deletePolicy(resourceId: string, name: string): boolean {
    const statement = this.#db.prepare('DELETE FROM scaling_policies WHERE resource_id = ? AND name = ?');
    return statement.run(resourceId, name).changes === 1;
  }
}
