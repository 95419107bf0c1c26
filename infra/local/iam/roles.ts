import { randomBytes } from 'node:crypto';
import { ACCOUNT, REGION } from '../protocol/arn.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { Caller, Roles, ServiceName } from '../protocol/service.ts';
import { type Facts, permissionsOf } from './permissions.ts';
import { decide, type Permission, type Statement, statementsOf } from './policy.ts';

/** A role as the stack describes it, intrinsic functions evaluated. */
export interface RoleProperties {
  readonly AssumeRolePolicyDocument: {
    readonly Statement: readonly { readonly Effect: string; readonly Principal?: { readonly Service?: unknown } }[];
  };
  readonly Policies?: readonly { readonly PolicyName: string; readonly PolicyDocument: unknown }[];
}

interface Role {
  readonly statements: readonly Statement[];
  /** Services that may assume it, such as `lambda.amazonaws.com`. */
  readonly trusted: readonly string[];
}

/** Key ids of temporary credentials begin so, and have 20 characters. Source: IAM identifiers, unique ID prefixes. */
const KEY_PREFIX = 'ASIA';
const KEY_RANDOM_CHARACTERS = 16;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Services that answer a denial with 403; the others, which speak JSON by X-Amz-Target, do with 400. */
const FORBIDDEN: readonly ServiceName[] = ['s3', 'featurestore', 'sagemaker-runtime', 'lambda'];

/**
 * The stack's roles: what each may do, and whose access key is whose. A user's own key is nobody's here, and not
 * checked: the local cloud is the developer's own account.
 */
export class StackRoles implements Roles {
  readonly #facts: Facts;
  readonly #report: (denial: string) => void;
  /** Denials that were reported: whoever is denied tries again and again. */
  readonly #reported = new Set<string>();
  readonly #roles = new Map<string, Role>();
  readonly #callers = new Map<string, Caller>();

  /** @param report hears of every denial once: whoever is denied may say so late, or nowhere. */
  constructor(facts: Facts, report: (denial: string) => void = () => undefined) {
    this.#facts = facts;
    this.#report = report;
  }

  /** Makes or replaces a role. @throws Error naming what a policy has that is not evaluated here. */
  put(roleArn: string, { AssumeRolePolicyDocument, Policies = [] }: RoleProperties): void {
    this.#roles.set(roleArn, {
      trusted: AssumeRolePolicyDocument.Statement.filter((it) => it.Effect === 'Allow').flatMap((it) =>
        [it.Principal?.Service ?? []].flat().map(String),
      ),
      statements: Policies.flatMap((it) => statementsOf(it.PolicyDocument, `${roleArn}, policy ${it.PolicyName},`)),
    });
  }

  /** Policies of a role as they are evaluated; undefined for a role that the stack does not have. */
  statementsOf(roleArn: string): readonly Statement[] | undefined {
    return this.#roles.get(roleArn)?.statements;
  }

  /** An access key for one who works as a role. It is the cloud's for as long as this process runs. */
  accessKeyOf(caller: Caller): string {
    const characters = Array.from(randomBytes(KEY_RANDOM_CHARACTERS), (byte) => BASE32[byte % BASE32.length]);
    const key = `${KEY_PREFIX}${characters.join('')}`;
    this.#callers.set(key, caller);
    return key;
  }

  callerOf(accessKeyId: string): Caller | undefined {
    return this.#callers.get(accessKeyId);
  }

  /** @throws Error when a service that is given the role may not assume it. */
  checkTrust(roleArn: string, service: string): void {
    const role = this.#roles.get(roleArn);
    if (!role || role.trusted.includes(service)) return;
    throw new Error(
      `The role ${roleArn} cannot be assumed by ${service}: its trust policy names ${role.trusted.join(', ')}.`,
    );
  }

  async authorize(caller: Caller, service: ServiceName, operation: string, input: object): Promise<void> {
    const permissions = permissionsOf(service, operation, input, this.#facts);
    if (permissions === undefined) throw withoutRow(caller, service, operation);
    this.require(caller, service, await permissions);
  }

  /**
   * Checks single permissions. A role that the stack does not have is somebody's own, and may do everything.
   *
   * @throws AwsError as `service` denies access.
   */
  require(caller: Caller, service: ServiceName, permissions: readonly Permission[]): void {
    const statements = this.#roles.get(caller.roleArn)?.statements;
    if (!statements) return;
    for (const permission of permissions) {
      const context = { ...permission.context, 'aws:RequestedRegion': REGION, 'aws:SecureTransport': 'true' };
      const decision = decide(statements, { ...permission, context });
      if (decision === 'allowed') continue;
      const error = denial(caller, service, permission, decision);
      const reported = `${caller.roleArn} ${permission.action} ${permission.resource}`;
      if (!this.#reported.has(reported)) this.#report(error.message);
      this.#reported.add(reported);
      throw error;
    }
  }
}

function denial(
  { roleArn, session }: Caller,
  service: ServiceName,
  { action, resource }: Permission,
  decision: string,
) {
  const user = `arn:aws:sts::${ACCOUNT}:assumed-role/${roleArn.split(':role/').pop()}/${session}`;
  const why =
    decision === 'denied'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  return new AwsError(
    service === 's3' ? 'AccessDenied' : 'AccessDeniedException',
    `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    FORBIDDEN.includes(service) ? 403 : 400,
  );
}

/** A call that nobody has said the rights of must not pass unchecked. */
function withoutRow({ roleArn }: Caller, service: ServiceName, operation: string): AwsError {
  return new AwsError(
    service === 's3' ? 'AccessDenied' : 'AccessDeniedException',
    `The local cloud cannot tell what rights ${operation} of ${service} needs, which ${roleArn} calls: add a row to infra/local/iam/${service === 'sagemaker' || service === 'cloudwatch' ? 'model' : 'data'}-permissions.ts.`,
    403,
  );
}
