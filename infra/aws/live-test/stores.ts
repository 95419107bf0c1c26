import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { LATEST_VIEW, sqlName } from '../../../shared/change-log/sql.ts';
import { toEventImage } from '../../../shared/changes/attribute-value.ts';
import { featureTexts } from '../../../shared/changes/change.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Names } from '../cloudformation/names.ts';

const QUERY_POLL_MS = 500;

/** Records by identifier, each the texts of its columns by name. A column without a value is not there. */
export type Records = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What each item of the table has to be in the other stores, as the decoder of the definition has it. */
export async function tableRecords(dynamodb: DynamoDBClient, group: FeatureGroup): Promise<Records> {
  const records = new Map<string, Map<string, string>>();
  const decode = makeDecoder(group);
  for await (const page of paginateScan({ client: dynamodb }, { TableName: group.table, ConsistentRead: true })) {
    for (const item of page.Items ?? []) {
      const NewImage = toEventImage(item);
      const Keys = Object.fromEntries(
        group.recordIdentifier.attributes.map((name) => [name, (NewImage as typeof item)[name]]),
      );
      const stream = { SequenceNumber: '1', ApproximateCreationDateTime: 1, StreamViewType: 'NEW_AND_OLD_IMAGES' };
      const decoded = decode({ eventName: 'INSERT', dynamodb: { ...stream, Keys, NewImage } });
      if (!isChange(decoded)) continue;
      const texts = featureTexts(group, decoded);
      const columns = columnsOf(group).flatMap(({ name }, index) => {
        const text = texts[index];
        return typeof text === 'string' ? [[name, text] as const] : [];
      });
      records.set(decoded.recordIdentifier, new Map(columns));
    }
  }
  return records;
}

/** The newest state of every record, as an analyst asks the change log for it. */
export async function changeLogRecords(athena: AthenaClient, group: FeatureGroup, names: Names): Promise<Records> {
  const sql = `SELECT * FROM ${sqlName(names.glueDatabase)}.${sqlName(LATEST_VIEW)}`;
  const [header = [], ...rows] = await query(athena, names.workGroup, sql);
  const at = (name: string) => header.indexOf(name.toLowerCase());
  const columns = columnsOf(group).map(({ name }) => [name, at(name)] as const);
  const id = at(group.recordIdentifier.name);
  return new Map(
    rows.map((row) => {
      const values = columns.flatMap(([name, index]) => {
        const value = row[index];
        return value === undefined ? [] : [[name, value] as const];
      });
      return [row[id] ?? '', new Map(values)] as const;
    }),
  );
}

/** Every row that a query gives, its header first. NULL is undefined. */
async function query(client: AthenaClient, WorkGroup: string, QueryString: string): Promise<(string | undefined)[][]> {
  const { QueryExecutionId = '' } = await client.send(new StartQueryExecutionCommand({ WorkGroup, QueryString }));
  for (;;) {
    const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const { State, StateChangeReason } = QueryExecution?.Status ?? {};
    if (State === 'FAILED' || State === 'CANCELLED') throw new Error(`Athena: ${StateChangeReason}: ${QueryString}`);
    if (State === 'SUCCEEDED') break;
    await sleep(QUERY_POLL_MS);
  }
  const rows: (string | undefined)[][] = [];
  for await (const { ResultSet } of paginateGetQueryResults({ client }, { QueryExecutionId })) {
    rows.push(...(ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map((it) => it.VarCharValue)));
  }
  return rows;
}

/** A record that is in a store not what it is in the table. Identifiers and values are the live test's own. */
export function differencesOf(group: FeatureGroup, table: Records, store: Records): string[] {
  const differences: string[] = [];
  for (const id of new Set([...table.keys(), ...store.keys()])) {
    const [expected, found] = [table.get(id), store.get(id)];
    if (!expected || !found) {
      differences.push(`${id} is ${expected ? 'missing' : 'there, and not in the table'}`);
      continue;
    }
    for (const { name, feature } of columnsOf(group)) {
      const [one, other] = [expected.get(name), found.get(name)];
      if (!isSame(feature, one, other)) differences.push(`${id} has ${name} ${other} in place of ${one}`);
    }
  }
  return differences;
}

/** Athena writes numbers in its own way: 12 is 12.0 in a column of doubles. */
function isSame(feature: Feature | 'label', one: string | undefined, other: string | undefined): boolean {
  if (one === other || one === undefined || other === undefined) return one === other;
  const isText = feature !== 'label' && ['string', 'categorical', 'hashed'].includes(feature.type);
  return !isText && Number(one) === Number(other);
}
