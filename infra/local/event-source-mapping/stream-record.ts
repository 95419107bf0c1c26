import { REGION } from '../protocol/arn.ts';

/** A record as GetRecords answers it over the wire. */
export interface StreamRecord {
  readonly dynamodb?: {
    readonly SequenceNumber?: string;
    readonly ApproximateCreationDateTime?: number;
  };
  readonly userIdentity?: { readonly PrincipalId?: string; readonly Type?: string };
}

/** A record as it is held between the stream and the function. */
export interface HeldRecord {
  readonly sequenceNumber: string;
  readonly creationSeconds: number;
  /** JSON of the record as the function's event has it. */
  readonly text: string;
  readonly bytes: number;
}

/**
 * The record in the form of Lambda's event: beside the API's members it names its stream, and the members of
 * `userIdentity` begin in lower case.
 */
export function lambdaRecord({ userIdentity, ...record }: StreamRecord, streamArn: string): object {
  return {
    ...record,
    awsRegion: REGION,
    ...(userIdentity && { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }),
    eventSourceARN: streamArn,
  };
}

/** The whole second in which a record was written, since 1970. */
export function creationSecondsOf({ dynamodb }: StreamRecord): number {
  return Math.floor(dynamodb?.ApproximateCreationDateTime ?? 0);
}

export function hold(record: StreamRecord, event: object): HeldRecord {
  const text = JSON.stringify(event);
  return {
    sequenceNumber: String(record.dynamodb?.SequenceNumber),
    creationSeconds: creationSecondsOf(record),
    text,
    bytes: Buffer.byteLength(text),
  };
}

/** The event of a batch, as JSON text. */
export function eventText(records: readonly HeldRecord[]): string {
  return `{"Records":[${records.map((it) => it.text).join(',')}]}`;
}
