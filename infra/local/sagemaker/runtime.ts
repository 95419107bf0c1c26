import { ACCOUNT } from '../protocol/arn.ts';
import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import { decodePath } from '../protocol/request.ts';
import type { Service, WireRequest, WireResponse } from '../protocol/service.ts';
import type { Deployment, FindDeployment } from './endpoints.ts';
import { jsonPrediction, type Prediction, predictionOf, widthOf } from './learner/prediction-text.ts';
import { readNumbers, TrainingDataError } from './learner/training-data.ts';
import { contentTypes, takesContentType } from './limits.ts';

/** Largest request body of InvokeEndpoint, in bytes. Source: SageMaker Runtime API, BodyBlob. */
const BODY_BYTES_MAX = 6_291_456;

const PATH = /^\/endpoints\/([^/]+)\/invocations$/;

/** Headers that would change the answer, and that the local cloud does not honour. */
const REFUSED_HEADERS = [
  ...['x-amzn-sagemaker-target-model', 'x-amzn-sagemaker-target-container-hostname', 'x-amzn-sagemaker-session-id'],
  ...['x-amzn-sagemaker-enable-explanations', 'x-amzn-sagemaker-inference-component'],
];

/** Hears of an answer: its status as the container's, and how long the model took. */
export type OnAnswer = (answer: {
  readonly endpointName: string;
  readonly variantName: string;
  readonly endpointConfigName: string;
  readonly status: number;
  readonly latencyMicros: number;
}) => void;

/** InvokeEndpoint, answering as a linear-learner container does. */
export function sageMakerRuntime(findDeployment: FindDeployment, onAnswer: OnAnswer = () => undefined): Service {
  return {
    name: 'sagemaker-runtime',
    raw: (request) => {
      const match = request.method === 'POST' ? PATH.exec(request.path) : null;
      if (!match) return undefined;
      const name = decodePath(match[1] ?? '');
      const input = { EndpointName: name };
      return { operation: 'InvokeEndpoint', input, run: () => invoke({ findDeployment, onAnswer }, name, request) };
    },
  };
}

async function invoke(
  { findDeployment, onAnswer }: { findDeployment: FindDeployment; onAnswer: OnAnswer },
  name: string,
  request: WireRequest,
): Promise<WireResponse> {
  for (const header of REFUSED_HEADERS) {
    if (request.headers[header] !== undefined) throw notImplemented('SageMaker Runtime', `header ${header}`);
  }
  if (request.body.length > BODY_BYTES_MAX) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to ${BODY_BYTES_MAX}`,
    );
  }
  const deployment = await findDeployment(name);
  if (!deployment) throw new AwsError('ValidationError', `Endpoint ${name} of account ${ACCOUNT} not found.`);
  const target = request.headers['x-amzn-sagemaker-target-variant'];
  if (target !== undefined && target !== deployment.variantName) {
    throw new AwsError('ValidationError', `Variant ${target} not found for Endpoint ${name}.`);
  }
  const startMs = performance.now();
  const tell = (status: number) => {
    const { variantName, endpointConfigName } = deployment;
    const latencyMicros = Math.max(1, Math.round((performance.now() - startMs) * 1_000));
    onAnswer({ endpointName: name, variantName, endpointConfigName, status, latencyMicros });
  };
  try {
    const predictions = predict(deployment, request);
    const [contentType, body] = render(predictions, request.headers.accept ?? '*/*', deployment);
    tell(200);
    return {
      status: 200,
      headers: { 'content-type': contentType, 'x-amzn-invoked-production-variant': deployment.variantName },
      body,
    };
  } catch (error) {
    tell(error instanceof AwsError ? Number(error.fields.OriginalStatusCode ?? error.status) : 500);
    throw error;
  }
}

/** Scores every row of a body. @throws AwsError ModelError, as a container's refusal reaches the caller. */
function predict(deployment: Deployment, request: WireRequest): Prediction[] {
  const contentType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (!takesContentType('predict', contentType)) {
    const message = `Content type ${contentType} is not supported: linear-learner takes ${contentTypes('predict')}`;
    throw modelError(415, message, deployment);
  }
  const text = request.body.toString('utf8');
  return rowsOf(contentType, text, deployment).map((features) => {
    return predictionOf(deployment.model, features);
  });
}

/** Feature vectors in the order of the body. Source: SageMaker, common data formats for inference. */
function rowsOf(contentType: string, text: string, deployment: Deployment): (readonly number[])[] {
  try {
    if (contentType === 'text/csv') {
      return text
        .trimEnd()
        .split(/\r?\n/)
        .map((line, index) => {
          const fields = line === '' ? [] : line.split(',');
          return checkedWidth(fields, index, deployment) && readNumbers(fields, `row ${index + 1}`);
        });
    }
    const instances =
      contentType === 'application/json'
        ? jsonInstances(text)
        : text
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line));
    return instances.map((instance, index) => {
      const features = featuresOf(instance, index);
      checkedWidth(features, index, deployment);
      return features;
    });
  } catch (error) {
    if (error instanceof TrainingDataError || error instanceof SyntaxError)
      throw modelError(400, error.message, deployment);
    throw error;
  }
}

function jsonInstances(text: string): unknown[] {
  const { instances } = (JSON.parse(text) ?? {}) as { instances?: unknown };
  if (Array.isArray(instances)) return instances;
  throw new TrainingDataError('the body has no list of instances: send {"instances": [{"features": [1, 2.5]}]}');
}

/** `{"features": [1]}`, or the longer `{"data": {"features": {"values": [1]}}}`. */
function featuresOf(instance: unknown, index: number): readonly number[] {
  const { features, data } = (instance ?? {}) as { features?: unknown; data?: { features?: { values?: unknown } } };
  const values = features ?? data?.features?.values;
  if (Array.isArray(values) && values.every((it) => typeof it === 'number' && Number.isFinite(it))) return values;
  throw new TrainingDataError(`instance ${index + 1} has no list of numbers as its features`);
}

/** @throws AwsError ModelError for a row of another width than the model's. */
function checkedWidth(row: readonly unknown[], index: number, deployment: Deployment): true {
  const expected = widthOf(deployment.model);
  if (row.length === expected) return true;
  throw modelError(400, `row ${index + 1} has ${row.length} features; the model takes ${expected}`, deployment);
}

function render(predictions: Prediction[], accept: string, deployment: Deployment) {
  const rows = predictions.map(jsonPrediction);
  const type = accept.split(',')[0]?.split(';')[0]?.trim();
  if (type === '*/*' || type === 'application/json') {
    return ['application/json', `{"predictions":[${rows.join(',')}]}`] as const;
  }
  if (type === 'application/jsonlines')
    return ['application/jsonlines', rows.map((row) => `${row}\n`).join('')] as const;
  takesContentType('answer', type ?? '');
  throw modelError(
    406,
    `Accept ${accept} is not supported: linear-learner answers ${contentTypes('answer')}`,
    deployment,
  );
}

function modelError(OriginalStatusCode: number, OriginalMessage: string, { variantName }: Deployment): AwsError {
  return new AwsError(
    'ModelError',
    `Received client error (${OriginalStatusCode}) from ${variantName} with message "${OriginalMessage}".`,
    424,
    { OriginalStatusCode, OriginalMessage },
  );
}
