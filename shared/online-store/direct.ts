import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  BatchWriteRecordCommand,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { HttpRequest } from '@smithy/types';
import { ByteWriter } from '../bytes/writer.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { batchWriteBodyWriter } from './body.ts';
import { type BatchWriteAnswer, type OnlineStore, sdkOnlineStore } from './online-store.ts';

/**
 * The online store with as little between a change and the wire as can be. The SDK's commands cost 63 µs of CPU a
 * record, most of it in making the same headers, endpoint and JSON again for every call. Here
 *
 * - the body is written from the definition, byte by byte what the SDK would send;
 * - a batch's first call goes through the SDK with that body, and the request that the SDK made of it becomes the model
 *   of the calls after it: endpoint, headers and user agent are the SDK's, and so are credentials, signature, connections
 *   and time limits, which are asked of the client's own configuration for every call;
 * - a call that is not answered by 200 is made again through the SDK, and what comes of that counts. Retries, clock
 *   skew, error classes and messages are therefore the SDK's, at the price of one attempt more.
 *
 * Idempotent as the sink is: writing a record twice leaves it as it was.
 */
export function directOnlineStore(group: FeatureGroup, client: SageMakerFeatureStoreRuntimeClient): OnlineStore {
  const writeBody = batchWriteBodyWriter(group);
  /** Memory of bodies that have been answered, for the bodies to come: as many as calls are ever in flight. */
  const idle: ByteWriter[] = [];
  let model: Model | undefined;

  /** Through the SDK: all of its steps, but the body that it made of no entries is replaced before it is signed. */
  async function sendBySdk(body: Uint8Array, abortSignal: AbortSignal): Promise<BatchWriteAnswer> {
    const command = new BatchWriteRecordCommand({ Entries: [] });
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as HttpRequest).body = body;
        return next(args);
      },
      { name: 'writtenBody', step: 'build', priority: 'high' },
    );
    let sent: HttpRequest | undefined;
    command.middlewareStack.add(
      (next) => (args) => {
        sent = args.request as HttpRequest;
        return next(args);
      },
      { name: 'modelRequest', step: 'deserialize', priority: 'low' },
    );
    const answer = await client.send(command, { abortSignal });
    if (sent !== undefined) model = await modelOf(sent, client);
    return answer;
  }

  /** @returns undefined when the answer is not 200. */
  async function sendDirectly(
    body: Uint8Array,
    like: Model,
    abortSignal: AbortSignal,
  ): Promise<BatchWriteAnswer | undefined> {
    const request = await like.sign(body);
    const { response } = await client.config.requestHandler.handle(request as never, { abortSignal });
    const text = await textOf(response.body);
    return response.statusCode === 200 ? JSON.parse(text) : undefined;
  }

  /** The first call: the others of its batch wait for the model that it makes. */
  let first: Promise<unknown> | undefined;

  return {
    begin() {
      model = undefined;
    },
    delete: sdkOnlineStore(group, client).delete,
    async batchWrite(changes, abortSignal) {
      const memory = idle.pop() ?? new ByteWriter();
      const body = writeBody(changes, memory);
      if (model === undefined && first === undefined) {
        const answer = sendBySdk(body, abortSignal).finally(() => {
          first = undefined;
        });
        first = answer.catch(() => undefined);
        return answer;
      }
      await first;
      if (model !== undefined) {
        const like = model;
        const answer = await sendDirectly(body, like, abortSignal).catch(() => undefined);
        if (answer !== undefined) {
          // Only now is it sure that nobody reads the body any more: that of a failed call is left to the collector.
          idle.push(memory);
          return answer;
        }
        // While the service is in trouble the SDK makes every call, until one of them goes well.
        if (model === like) model = undefined;
      }
      return sendBySdk(body, abortSignal);
    },
  };
}

/** Headers of a signature, which are made anew with it. */
const SIGNATURE_HEADERS = new Set(['authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256']);

/** What the SDK made of the first call, as far as it is the same for every other. */
interface Model {
  /** A request like it with another body, under a signature of its own. */
  sign(body: Uint8Array): Promise<HttpRequest>;
}

async function modelOf(sent: HttpRequest, { config }: SageMakerFeatureStoreRuntimeClient): Promise<Model> {
  const entries = Object.entries(sent.headers).filter(([name]) => !SIGNATURE_HEADERS.has(name));
  const headers = Object.fromEntries(entries);
  // Credential=<key>/<day>/<region>/<service>/aws4_request: where and for whom the SDK's endpoint rules sign.
  const [, , signingRegion = '', signingService = ''] = sent.headers.authorization?.split('/') ?? [];
  // It asks the client's credential provider for every signature, so that credentials that expire are renewed.
  const signer = await config.signer({ name: 'sigv4', signingRegion, signingName: signingService, properties: {} });
  return {
    sign: (body) =>
      signer.sign(
        {
          ...sent,
          headers: {
            ...headers,
            'content-length': String(body.byteLength),
            'amz-sdk-invocation-id': randomUUID(),
          },
          body,
        },
        { signingDate: new Date(Date.now() + config.systemClockOffset), signingRegion, signingService },
      ),
  };
}

function textOf(body: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    body.setEncoding('utf8');
    body.on('data', (chunk: string) => {
      text += chunk;
    });
    body.on('end', () => resolve(text));
    body.on('error', reject);
  });
}
