import * as z from 'zod/mini';
import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import type { FeatureTexts } from '../model/encode.ts';
import { LISTED_MAX } from './bounded.ts';
import { parseFeatures } from './features.ts';
import { PredictionRefused, STATUS } from './refusal.ts';

/** Records in one request. Source: BatchGetRecord, at most 100 record identifiers. */
export const RECORDS_MAX = 100;

/** Longest record identifier, in bytes of UTF-8. Source: SageMaker Feature Store quotas, 2 KB. */
const IDENTIFIER_BYTES_MAX = 2_048;

/** What to predict for: a record of the online store, or features as given. */
export type PredictionRecord =
  | { readonly recordIdentifier: string; readonly features?: never }
  | { readonly features: FeatureTexts; readonly recordIdentifier?: never };

export interface PredictionRequest {
  readonly records: readonly PredictionRecord[];
  /** Whether a list was asked for, and is to be answered. */
  readonly isList: boolean;
}

const functionUrlSchema = z.object({
  requestContext: z.object({ http: z.looseObject({}) }),
  body: z.optional(z.string()),
  isBase64Encoded: z._default(z.boolean(), false),
});

/** The body of a function URL's event (payload format 2.0) as text; undefined when this is no such event. */
export function functionUrlBody(event: unknown): string | undefined {
  const parsed = functionUrlSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const { body = '', isBase64Encoded } = parsed.data;
  return isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

/** @throws PredictionRefused (400) when the text is not JSON. */
export function parseJsonBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PredictionRefused(STATUS.badRequest, 'The body of the request must be JSON.', { cause });
  }
}

/**
 * Reads a request: `{"<record identifier>": "c-1"}` or `{"features": {…}}`, or up to 100 of these in `{"records": […]}`.
 * A record identifier is written as it is in the online store (two key attributes are joined by `|`).
 *
 * @param expected features that a request may have.
 * @throws PredictionRefused (400) naming what is wrong, up to a limit.
 */
export function parsePredictionRequest(
  group: FeatureGroup,
  expected: readonly Feature[],
  body: unknown,
): PredictionRequest {
  const list = z.strictObject({ records: z.array(z.unknown()) }).safeParse(body);
  if (!list.success) {
    const { record, problems } = parseRecord(group, expected, body);
    if (record) return { records: [record], isList: false };
    throw badRequest(problems);
  }
  const { records } = list.data;
  if (records.length === 0 || records.length > RECORDS_MAX) {
    throw badRequest([`records must be 1 to ${RECORDS_MAX}, not ${records.length}`]);
  }
  const parsed: PredictionRecord[] = [];
  const problems: string[] = [];
  for (const [index, value] of records.entries()) {
    const { record, problems: found = [] } = parseRecord(group, expected, value);
    if (record) parsed.push(record);
    problems.push(...found.map((problem) => `records[${index}]: ${problem}`));
    // More than are listed are not looked for.
    if (problems.length > LISTED_MAX) break;
  }
  if (problems.length > 0) throw badRequest(problems);
  return { records: parsed, isList: true };
}

type ParsedRecord = { record: PredictionRecord; problems?: never } | { record?: never; problems: string[] };

function parseRecord(group: FeatureGroup, expected: readonly Feature[], value: unknown): ParsedRecord {
  const { name } = group.recordIdentifier;
  const known = z
    .strictObject({ [name]: z.union([z.string().check(z.minLength(1)), z.pipe(z.int(), z.transform(String))]) })
    .safeParse(value);
  const recordIdentifier = known.success ? known.data[name] : undefined;
  if (recordIdentifier !== undefined) {
    // UTF-8 has no lone surrogate, and Feature Store no such record.
    const isOne = recordIdentifier.isWellFormed() && Buffer.byteLength(recordIdentifier) <= IDENTIFIER_BYTES_MAX;
    if (isOne) return { record: { recordIdentifier } };
    return { problems: [`${name} must be well-formed text of at most ${IDENTIFIER_BYTES_MAX} bytes`] };
  }
  const given = z.strictObject({ features: z.custom(isObject) }).safeParse(value);
  if (!given.success) {
    return { problems: [`expected {"${name}": "…"} (a record of the online store) or {"features": {…}}, one of them`] };
  }
  const { features, problems } = parseFeatures(expected, given.data.features);
  return features ? { record: { features } } : { problems };
}

const isObject = (it: unknown): boolean => typeof it === 'object' && it !== null && !Array.isArray(it);

function badRequest(problems: readonly string[]): PredictionRefused {
  return new PredictionRefused(
    STATUS.badRequest,
    `The request is not valid: ${problems.length > LISTED_MAX ? `${problems.slice(0, LISTED_MAX).join('; ')}; and more` : problems.join('; ')}.`,
  );
}
