import type { FeatureGroup } from '../definition/feature-group.ts';
import { keysReader, notJson, parsedLine } from './export-lines.ts';
import type { LineReader } from './statements.ts';

/**
 * Lines of the exports that AWS Data Pipeline and EMR made before DynamoDB exported by itself. Types are written in lower
 * case. The older form is no JSON: each attribute's name is followed by the byte 3, and attributes are parted by the
 * byte 2. Source: emr-dynamodb-connector, DynamoDBItemWritable.
 */

const TYPES: Readonly<Record<string, string>> = {
  s: 'S',
  n: 'N',
  b: 'B',
  sS: 'SS',
  nS: 'NS',
  bS: 'BS',
  m: 'M',
  l: 'L',
  bOOL: 'BOOL',
  nULLValue: 'NULL',
};

const BETWEEN_ATTRIBUTES = '\u0002';
const AFTER_NAME = '\u0003';

/** Reader of either form. */
export function dataPipelineLineReader(group: FeatureGroup): LineReader {
  const keysOf = keysReader(group);
  const expected = 'an item as AWS Data Pipeline exports it: {"name":{"s":"text"},…}';
  return (line) => {
    const item = line.startsWith('{') ? parsedLine(line) : olderForm(line);
    const NewImage = imageOf(item);
    if (NewImage === undefined) return notJson(line, expected);
    return { eventName: 'INSERT', Keys: keysOf(NewImage), NewImage };
  };
}

/** @returns undefined when it is not of that form. */
function olderForm(line: string): unknown {
  const attributes = line.split(BETWEEN_ATTRIBUTES).map((attribute) => {
    const [name = '', value, ...more] = attribute.split(AFTER_NAME);
    return [name, value === undefined || more.length > 0 ? undefined : parsedLine(value)] as const;
  });
  return attributes.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(attributes);
}

/** @returns undefined when a member is no attribute value. */
function imageOf(item: unknown): Record<string, unknown> | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const attributes = Object.entries(item).map(([name, value]) => [name, attributeOf(value)] as const);
  return attributes.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(attributes);
}

function attributeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const [[written, content] = ['', undefined], ...more] = Object.entries(value);
  const type = Object.hasOwn(TYPES, written) ? TYPES[written] : undefined;
  if (type === undefined || more.length > 0) return undefined;
  if (type === 'M') {
    const members = imageOf(content);
    return members && { M: members };
  }
  if (type !== 'L') return { [type]: content };
  const members = Array.isArray(content) ? content.map(attributeOf) : [undefined];
  return members.includes(undefined) ? undefined : { L: members };
}
