import type { ServiceName } from '../protocol/service.ts';
import { dataPermissions } from './data-permissions.ts';
import { modelPermissions } from './model-permissions.ts';
import type { Permission } from './policy.ts';

/** What can only be asked of the services: which resource a call is about whose input has but an identifier. */
export interface Facts {
  /** Work group of a query. */
  workGroupOf(queryExecutionId: string): Promise<string>;
  /** Where the tables and views that a query names keep their objects: `s3://bucket/prefix`. */
  locationsOf(query: string, database: string): readonly string[];
  objectExists(bucket: string, key: string): Promise<boolean>;
  /** Whether the number of an endpoint's instances is scaled. */
  isScaled(endpointName: string): Promise<boolean>;
}

/** What one operation needs, by its input. Source of each: the Service Authorization Reference. */
export type Row = (input: never, facts: Facts) => Permission[] | Promise<Permission[]>;
export type Rows = Readonly<Partial<Record<ServiceName, Readonly<Record<string, Row>>>>>;

const ROWS: Rows = { ...dataPermissions, ...modelPermissions };

/** The permissions of an operation; undefined when the table has no row for it. */
export function permissionsOf(
  service: ServiceName,
  operation: string,
  input: object,
  facts: Facts,
): Permission[] | Promise<Permission[]> | undefined {
  const rows = ROWS[service];
  return rows && Object.hasOwn(rows, operation) ? rows[operation]?.(input as never, facts) : undefined;
}
