import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../protocol/aws-error.ts';
import { checkUpdate, type FeatureGroup, type FeatureGroupProperties, featureGroupOf } from './feature-group.ts';
import { OnlineStore, type TieRule } from './online-store.ts';

/** The feature groups and their online stores: what every operation of the runtime works on. */
export class FeatureStore {
  readonly online: OnlineStore;
  readonly #db: DatabaseSync;
  readonly #groups = new Map<string, FeatureGroup>();

  constructor(db: DatabaseSync, tieRule: TieRule) {
    this.#db = db;
    this.online = new OnlineStore(db, tieRule);
    db.exec('CREATE TABLE IF NOT EXISTS feature_groups (name TEXT PRIMARY KEY, properties TEXT NOT NULL)');
    for (const row of db.prepare('SELECT properties FROM feature_groups').all()) {
      const group = featureGroupOf(JSON.parse(String(row.properties)));
      this.#groups.set(group.name, group);
    }
  }

  /** Makes a group, or adds features to the one of that name. Nothing happens when it exists as described. */
  create(properties: FeatureGroupProperties): void {
    const group = featureGroupOf(properties);
    const stored = this.#groups.get(group.name);
    if (stored) checkUpdate(stored, group);
    this.#db.prepare('INSERT OR REPLACE INTO feature_groups VALUES (?, ?)').run(group.name, JSON.stringify(properties));
    this.#groups.set(group.name, group);
  }

  names(): string[] {
    return [...this.#groups.keys()];
  }

  /** A group's description as it was given. */
  properties(name: string): FeatureGroupProperties {
    const row = this.#db.prepare('SELECT properties FROM feature_groups WHERE name = ?').get(name);
    return JSON.parse(String(row?.properties));
  }

  /** @throws AwsError ResourceNotFound */
  group(nameOrArn: string | undefined): FeatureGroup {
    const group = this.#groups.get(nameOrArn?.replace(/^arn:.*:feature-group\//, '') ?? '');
    if (group) return group;
    throw new AwsError('ResourceNotFound', `Resource Not Found: FeatureGroup ${nameOrArn} does not exist`, 404);
  }
}
