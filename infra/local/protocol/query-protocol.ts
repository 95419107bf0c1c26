import { randomUUID } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import type { WireRequest, WireResponse } from './service.ts';
import { element, textElement, xmlDocument } from './xml.ts';

/**
 * The query protocol of STS, CloudFormation, IAM and their like: a form in, XML out. A list is a member of members
 * (`Names.member.1`); a structure's members are joined by dots.
 */

/** Longest form read, in bytes; deepest name; largest place in a list. Above what any operation served here takes. */
const FORM_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 12;
const LIST_PLACE = /^[1-9]\d{0,3}$/;

/** The operation and input of a form; undefined for what is no request of the query protocol. */
export function queryRequestOf(
  request: WireRequest,
): { operation: string; version: string; input: object } | undefined {
  const type = request.headers['content-type'] ?? '';
  const isForm =
    request.method === 'POST' && request.path === '/' && type.startsWith('application/x-www-form-urlencoded');
  const form = isForm ? new URLSearchParams(request.body.toString('utf8', 0, FORM_BYTES_MAX)) : request.query;
  const operation = form.get('Action');
  if (operation === null || request.path !== '/' || !(isForm || request.method === 'GET')) return undefined;
  const input: Tree = Object.create(null);
  for (const [name, value] of form) {
    if (isForm || !/^(?:X-Amz-|Action$|Version$|AWSAccessKeyId$|Signature|Timestamp$)/i.test(name))
      put(input, name, value);
  }
  const { Action, Version, ...rest } = input;
  return { operation, version: form.get('Version') ?? '', input: lists(rest) as object };
}

type Tree = { [name: string]: string | Tree };

function put(tree: Tree, name: string, value: string): void {
  const path = name.split('.');
  const last = path.pop() ?? '';
  if (path.length > DEPTH_MAX)
    throw new AwsError('MalformedQueryString', `A parameter is nested more than ${DEPTH_MAX} deep`);
  let place = tree;
  for (const part of path) {
    const inner = place[part];
    if (typeof inner === 'object') place = inner;
    else {
      const made: Tree = Object.create(null);
      place[part] = made;
      place = made;
    }
  }
  place[last] = value;
}

/** Turns `{ member: { 1: a, 2: b } }` into `[a, b]`. */
function lists(value: string | Tree): unknown {
  if (typeof value === 'string') return value;
  const { member } = value;
  if (typeof member === 'object' && Object.keys(member).every((place) => LIST_PLACE.test(place))) {
    return Object.entries(member)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, it]) => lists(it));
  }
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, lists(it)]));
}

/** An answer: every member an element, every element of a list a `member`. Undefined members are left out. */
export function queryAnswer(namespace: string, operation: string, result: object): WireResponse {
  const metadata = element('ResponseMetadata', [textElement('RequestId', randomUUID())]);
  const body = xmlDocument(`${operation}Response`, namespace, [
    element(`${operation}Result`, children(result)),
    metadata,
  ]);
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}

function children(value: object): string[] {
  return Object.entries(value).flatMap(([name, it]) => (it === undefined ? [] : [memberElement(name, it)]));
}

function memberElement(name: string, value: unknown, isTime = /Time(?:stamps?)?$/.test(name)): string {
  if (Array.isArray(value))
    return element(
      name,
      value.map((it) => memberElement('member', it, isTime)),
    );
  if (typeof value === 'object' && value !== null) return element(name, children(value));
  // JSON writes times as epoch seconds, XML in ISO 8601.
  if (isTime && typeof value === 'number') return textElement(name, new Date(value * 1_000).toISOString());
  return textElement(name, value as string | number | boolean);
}

/** An error as the query protocol writes it. */
export function queryError(error: AwsError): WireResponse {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  const inner = [textElement('Type', type), textElement('Code', error.code), textElement('Message', error.message)];
  return {
    status: error.status,
    headers: { 'content-type': 'text/xml' },
    body: element('ErrorResponse', [element('Error', inner), textElement('RequestId', randomUUID())]),
  };
}
