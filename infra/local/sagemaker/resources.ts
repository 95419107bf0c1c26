import type { DatabaseSync } from 'node:sqlite';
import { arn } from '../protocol/arn.ts';
import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';

/** Kinds of SageMaker resources, as ARNs spell them, with the member of a request that names one. */
const NAME_MEMBER = {
  'training-job': 'TrainingJobName',
  'transform-job': 'TransformJobName',
  model: 'ModelName',
  'endpoint-config': 'EndpointConfigName',
  endpoint: 'EndpointName',
} as const;

export type ResourceKind = keyof typeof NAME_MEMBER;

/** Names of training jobs, models, endpoints, variants and configurations. Source: SageMaker API, 63 characters. */
const NAME_PATTERN = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

/** A page of a List operation, in entries: default and greatest. Source: SageMaker API, MaxResults. */
const PAGE_DEFAULT = 10;
const PAGE_MAX = 100;

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** ARN of a resource of the local account. */
export function arnOf(kind: ResourceKind, name: string): string {
  return arn('sagemaker', `${kind}/${name}`);
}

export function validationException(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** A member that a request must have. @throws AwsError ValidationException, worded as SageMaker words it. */
export function required<T>(value: T | null | undefined, member: string): T {
  if (value !== undefined && value !== null) return value;
  throw validationException(
    `1 validation error detected: Value null at '${lowerFirst(member)}' failed to satisfy constraint: Member must not be null`,
  );
}

/** The name in a request. @throws AwsError ValidationException when it is missing or breaks the rule of names. */
export function nameIn(input: object, kind: ResourceKind): string {
  const member = NAME_MEMBER[kind];
  const name = required((input as Record<string, unknown>)[member], member);
  if (typeof name === 'string' && isName(name)) return name;
  throw validationException(
    `1 validation error detected: Value '${String(name).slice(0, 200)}' at '${lowerFirst(member)}' failed to satisfy constraint: ` +
      'Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}',
  );
}

/** Whether a text keeps the rule of names. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

function lowerFirst(member: string): string {
  return member.charAt(0).toLowerCase() + member.slice(1);
}

/** Epoch seconds, as JSON 1.1 writes times. */
export function epochSeconds(timeMs = Date.now()): number {
  return timeMs / 1000;
}

/** SageMaker's resources in sqlite, each as one JSON body. What is written survives a restart. */
export class Resources {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`CREATE TABLE IF NOT EXISTS sagemaker_resources (
      kind TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, body TEXT NOT NULL, tags TEXT NOT NULL,
      PRIMARY KEY (kind, name))`);
  }

  /** Adds a resource; `false` when there is one of that name, which stays as it is. */
  add(kind: ResourceKind, name: string, body: object, tags: readonly Tag[] = []): boolean {
    const { changes } = this.#db
      .prepare('INSERT INTO sagemaker_resources VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
      .run(kind, name, Date.now(), JSON.stringify(body), JSON.stringify(tags));
    return changes === 1;
  }

  get<T>(kind: ResourceKind, name: string): T | undefined {
    const row = this.#db.prepare('SELECT body FROM sagemaker_resources WHERE kind = ? AND name = ?').get(kind, name);
    return row && (JSON.parse(String(row.body)) as T);
  }

  /** Replaces a resource's body; nothing happens when it is gone. */
  set(kind: ResourceKind, name: string, body: object): void {
    this.#db
      .prepare('UPDATE sagemaker_resources SET body = ? WHERE kind = ? AND name = ?')
      .run(JSON.stringify(body), kind, name);
  }

  /** Whether there was such a resource to delete. */
  delete(kind: ResourceKind, name: string): boolean {
    return (
      this.#db.prepare('DELETE FROM sagemaker_resources WHERE kind = ? AND name = ?').run(kind, name).changes === 1
    );
  }

  /** Every resource of a kind, in order of creation. */
  all<T>(kind: ResourceKind): { name: string; body: T }[] {
    return this.#db
      .prepare('SELECT name, body FROM sagemaker_resources WHERE kind = ? ORDER BY created_ms, rowid')
      .all(kind)
      .map((row) => ({ name: String(row.name), body: JSON.parse(String(row.body)) as T }));
  }

  tags(arn: string): Tag[] {
    const { kind, name } = this.#named(arn);
    const row = this.#db.prepare('SELECT tags FROM sagemaker_resources WHERE kind = ? AND name = ?').get(kind, name);
    if (!row) throw validationException(`Could not find resource "${arn}".`);
    return JSON.parse(String(row.tags));
  }

  setTags(arn: string, tags: readonly Tag[]): void {
    const { kind, name } = this.#named(arn);
    this.#db
      .prepare('UPDATE sagemaker_resources SET tags = ? WHERE kind = ? AND name = ?')
      .run(JSON.stringify(tags), kind, name);
  }

  #named(arn: string): { kind: string; name: string } {
    const [kind = '', name = ''] = (arn.split(':')[5] ?? '').split('/');
    return { kind, name };
  }
}

export interface ListInput {
  readonly MaxResults?: number;
  readonly NextToken?: string;
  readonly NameContains?: string;
  readonly StatusEquals?: string;
  readonly SortBy?: string;
  readonly SortOrder?: string;
}

/**
 * One page of a List operation over `entries` (in order of creation), newest first unless the request says otherwise.
 * Only the lists of what has a status (`hasStatus`) can be narrowed by one.
 */
export function page<T extends { name: string; status?: string }>(
  operation: string,
  input: ListInput,
  entries: readonly T[],
  hasStatus = false,
): { found: T[]; next: { NextToken?: string } } {
  const honoured = ['MaxResults', 'NextToken', 'NameContains', 'SortBy', 'SortOrder'];
  refuseUnknown('SageMaker', operation, input, hasStatus ? [...honoured, 'StatusEquals'] : honoured);
  const found = entries
    .filter((it) => it.name.includes(input.NameContains ?? ''))
    .filter((it) => input.StatusEquals === undefined || it.status === input.StatusEquals);
  if (input.SortBy === 'Name') found.sort((a, b) => (a.name < b.name ? -1 : 1));
  else if ((input.SortBy ?? 'CreationTime') !== 'CreationTime') {
    throw notImplemented('SageMaker', `SortBy=${input.SortBy} of ${operation}`);
  }
  if (input.SortOrder !== 'Ascending') found.reverse();
  const { items, next } = pageOf(found, Math.min(input.MaxResults ?? PAGE_DEFAULT, PAGE_MAX), input.NextToken);
  return { found: items, next: next === undefined ? {} : { NextToken: next } };
}
