import { DigestSums, digestSumsSql, digestsOfSql, latestTextsSql } from '../../../shared/change-log/digests.ts';
import { digestText } from '../../../shared/history/reconcile/reconcile.ts';
import type { LoggedRecord, LogReader } from '../../../shared/history/reconcile/stores.ts';
import { queryPages } from '../../insight/query.ts';
import type { Sources } from '../../insight/sources.ts';

/** Most bytes that the identifiers of a query have. Source: Athena, 262,144 bytes a query, of which some are SQL. */
const IDENTIFIER_BYTES_MAX = 100_000;

/** Reads the change log by Athena. Each call is a query of all its days. */
export function logReader(sources: Sources, signal: AbortSignal): LogReader {
  const { group } = sources;
  const { database } = sources.names;
  return {
    async sums() {
      const sums = new DigestSums();
      for await (const rows of queryPages(sources, digestSumsSql(group, database), signal)) {
        for (const row of rows) {
          const [bucket = 0, records = 0, high = 0, low = 0] = row.map(Number);
          sums.add({ bucket, high, low }, records);
        }
      }
      return sums;
    },
    async *digests(buckets) {
      for await (const rows of queryPages(sources, digestsOfSql(group, database, buckets), signal)) {
        yield rows.map(([id, high, low]) => [id ?? '', digestText({ high: Number(high), low: Number(low) })] as const);
      }
    },
    async latest(ids) {
      const found = new Map<string, LoggedRecord>();
      for (const asked of byBytes(ids)) {
        for await (const rows of queryPages(sources, latestTextsSql(group, database, asked), signal)) {
          for (const [id, sequenceNumber, eventName, eventTime, ...texts] of rows) {
            const change = {
              sequenceNumber: sequenceNumber ?? '',
              eventName: eventName ?? '',
              eventTime: eventTime ?? '',
            };
            found.set(id ?? '', { ...change, texts, isRemoved: change.eventName.endsWith('REMOVE') });
          }
        }
      }
      return found;
    },
  };
}

function byBytes(ids: readonly string[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const id of ids) {
    const bytes = 2 * Buffer.byteLength(id);
    if (bytes > room) {
      parts.push([]);
      room = IDENTIFIER_BYTES_MAX;
    }
    parts.at(-1)?.push(id);
    room -= bytes;
  }
  return parts;
}
