import { AwsError } from './aws-error.ts';
import type { Faults } from './faults.ts';
import { queryAnswer, queryRequestOf } from './query-protocol.ts';
import { unknownOperation, unknownService } from './refusals.ts';
import { decodePath, parseJson, type Signature, signatureOf } from './request.ts';
import type { Caller, Operation, RestRoute, Roles, Service, WireRequest, WireResponse } from './service.ts';

/** What a request goes through: whoever is checked, what is made to fail, and the services themselves. */
export interface Dispatch {
  readonly services: readonly Service[];
  readonly faults: Faults;
  /** Absent: every caller may do everything. */
  readonly roles?: Roles | undefined;
}

/** Finds the service and the operation of a request, and answers it. */
export async function dispatch(options: Dispatch, request: WireRequest): Promise<WireResponse> {
  const signature = signatureOf(request);
  const target = request.headers['x-amz-target'];
  if (target !== undefined) return callByTarget(options, request, signature, target);
  const form = queryRequestOf(request);
  if (form) return callByQuery(options, request, signature, form);
  for (const service of candidates(options.services, signature)) {
    const found = await answerBy(options, request, signature, service);
    if (found) return found;
  }
  throw unknownService(signature?.service ?? 'an unknown service', `${request.method} ${request.path.slice(0, 200)}`);
}

async function callByTarget(
  options: Dispatch,
  request: WireRequest,
  signature: Signature | undefined,
  target: string,
): Promise<WireResponse> {
  const [prefix = '', operation = ''] = target.split('.');
  const service = options.services.find((it) => it.target === prefix);
  if (!service) throw unknownService(prefix, operation);
  const contentType = service.contentType ?? 'application/x-amz-json-1.1';
  const byText = callerOf(options, signature) ? undefined : ownMember(service.texts, operation);
  if (byText) {
    const body = await options.faults.apply(service.name, operation, () => byText(request.body.toString('utf8')));
    return { status: 200, headers: { 'content-type': contentType }, body };
  }
  const input = parseJson(request.body.toString('utf8'));
  return json(await callOperation(options, service, operation, input, { request, signature }), contentType);
}

async function callByQuery(
  options: Dispatch,
  request: WireRequest,
  signature: Signature | undefined,
  { operation, version, input }: NonNullable<ReturnType<typeof queryRequestOf>>,
): Promise<WireResponse> {
  const service = options.services.find((it) => it.query?.version === version && version !== '');
  if (!service?.query) throw unknownService(signature?.service ?? 'an unknown service', operation);
  const answer = await callOperation(options, service, operation, input, { request, signature });
  return queryAnswer(service.query.namespace, operation, (answer ?? {}) as object);
}

/**
 * Services that may be meant, in the order they are asked. S3's paths begin with a bucket's name, which may look like
 * another service's path: the signature tells, and without one S3 is asked last.
 */
function candidates(services: readonly Service[], signature: Signature | undefined): Service[] {
  if (signature?.service === 's3') return services.filter((it) => it.name === 's3');
  return [...services].sort((a, b) => Number(a.name === 's3') - Number(b.name === 's3'));
}

async function answerBy(
  options: Dispatch,
  request: WireRequest,
  signature: Signature | undefined,
  service: Service,
): Promise<WireResponse | undefined> {
  try {
    const raw = service.raw?.(request);
    if (raw) {
      await check(options, signature, service, raw.operation, raw.input ?? {});
      return await options.faults.apply(service.name, raw.operation, raw.run);
    }
  } catch (error) {
    if (error instanceof AwsError && service.renderError) return service.renderError(error);
    throw error;
  }
  for (const route of service.routes ?? []) {
    const match = route.method === request.method ? route.path.exec(request.path) : null;
    if (!match) continue;
    const input = { ...parseJson(request.body.toString('utf8')), ...restInput(match, request, route) };
    const answer = await callOperation(options, service, route.operation, input, { request, signature });
    return json(answer, 'application/json');
  }
  return undefined;
}

async function callOperation(
  options: Dispatch,
  service: Service,
  operation: string,
  input: object,
  { request, signature }: { request: WireRequest; signature: Signature | undefined },
): Promise<unknown> {
  const run = operationOf(service, operation);
  if (!run) throw unknownOperation(service.name, operation);
  await check(options, signature, service, operation, input);
  return options.faults.apply(service.name, operation, async () => run(input as never, request));
}

/** Only what a service names itself: `constructor` is an operation of none. */
export function operationOf(service: Service, operation: string): Operation | undefined {
  return ownMember(service.operations, operation);
}

function ownMember<T>(members: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return members && Object.hasOwn(members, name) ? members[name] : undefined;
}

function callerOf({ roles }: Dispatch, signature: Signature | undefined): Caller | undefined {
  return signature && roles?.callerOf(signature.accessKeyId);
}

async function check(
  options: Dispatch,
  signature: Signature | undefined,
  service: Service,
  operation: string,
  input: object,
): Promise<void> {
  const caller = callerOf(options, signature);
  if (caller) await options.roles?.authorize(caller, service.name, operation, input);
}

function restInput(match: RegExpExecArray, request: WireRequest, route: RestRoute) {
  const input: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(match.groups ?? {})) input[name] = decodePath(value);
  for (const [parameter, member] of Object.entries(route.query ?? {})) {
    const values = request.query.getAll(parameter);
    if (values.length > 0) input[member] = route.lists?.includes(member) ? values : values[0];
  }
  return input;
}

function json(result: unknown, contentType: string): WireResponse {
  return { status: 200, headers: { 'content-type': contentType }, body: JSON.stringify(result ?? {}) };
}
