/** Where the local cloud says it is. Sources: its own convention, as DynamoDB Local's account. */
export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** ARN of a resource of the local account and region. */
export function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}
