import type { DatabaseSync } from 'node:sqlite';
import { arn } from '../protocol/arn.ts';
import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';
import type { Operation, Service } from '../protocol/service.ts';
import { type LogEvent, LogStore } from './log-store.ts';

/** Events and groups of one page: default and greatest. Source: CloudWatch Logs API. */
const EVENTS_PAGE = 10_000;
const GROUPS_PAGE = 50;

interface Paged {
  readonly limit?: number;
  readonly nextToken?: string;
}

interface GroupInput extends Paged {
  readonly logGroupName?: string;
  readonly logGroupIdentifier?: string;
}

interface GetLogEventsInput extends GroupInput {
  readonly logStreamName: string;
  readonly startTime?: number;
  readonly endTime?: number;
  readonly startFromHead?: boolean;
}

interface FilterInput extends GroupInput {
  readonly logStreamNames?: readonly string[];
  readonly logStreamNamePrefix?: string;
  readonly startTime?: number;
  readonly endTime?: number;
  readonly filterPattern?: string;
  readonly interleaved?: boolean;
}

/** CloudWatch Logs: what functions have logged, to be read. */
export function cloudWatchLogs({ db }: { db: DatabaseSync }): { service: Service; store: LogStore } {
  const store = new LogStore(db);
  const service: Service = { name: 'logs', target: 'Logs_20140328', operations: operationsOf(store) };
  return { service, store };
}

function operationsOf(store: LogStore): Record<string, Operation> {
  const groupOf = ({ logGroupName, logGroupIdentifier }: GroupInput): string => {
    const name = logGroupName ?? logGroupIdentifier?.split(':log-group:').pop()?.replace(/:\*$/, '') ?? '';
    if (store.hasGroup(name)) return name;
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  };
  return {
    DescribeLogGroups: (input: Paged & { logGroupNamePrefix?: string; logGroupNamePattern?: string }) => {
      refuseUnknown('CloudWatch Logs', 'DescribeLogGroups', input, [
        'logGroupNamePrefix',
        'logGroupNamePattern',
        'limit',
        'nextToken',
      ]);
      const { logGroupNamePrefix, logGroupNamePattern = '' } = input;
      const all = store.groups(logGroupNamePrefix).filter(({ name }) => name.includes(logGroupNamePattern));
      const { found, next } = page(all, input);
      return {
        logGroups: found.map(({ name, createdMs, bytes }) => ({
          ...{ logGroupName: name, creationTime: createdMs, storedBytes: bytes, metricFilterCount: 0 },
          ...{ arn: `${arnOf(name)}:*`, logGroupArn: arnOf(name), logGroupClass: 'STANDARD' },
        })),
        ...next,
      };
    },

    DescribeLogStreams: (
      input: GroupInput & { logStreamNamePrefix?: string; orderBy?: string; descending?: boolean },
    ) => {
      const honoured = [
        'logGroupName',
        'logGroupIdentifier',
        'logStreamNamePrefix',
        'orderBy',
        'descending',
        'limit',
        'nextToken',
      ];
      refuseUnknown('CloudWatch Logs', 'DescribeLogStreams', input, honoured);
      const group = groupOf(input);
      const all = store.streams(group).filter(({ name }) => name.startsWith(input.logStreamNamePrefix ?? ''));
      if (input.orderBy === 'LastEventTime') all.sort((a, b) => a.lastMs - b.lastMs);
      const { found, next } = page(input.descending ? all.reverse() : all, input);
      return {
        logStreams: found.map(({ name, firstMs, lastMs }) => ({
          ...{ logStreamName: name, creationTime: firstMs, firstEventTimestamp: firstMs, lastEventTimestamp: lastMs },
          ...{ lastIngestionTime: lastMs, storedBytes: 0, arn: `${arnOf(group)}:log-stream:${name}` },
        })),
        ...next,
      };
    },

    GetLogEvents: (input: GetLogEventsInput) => getLogEvents(store, groupOf(input), input),

    FilterLogEvents: (input: FilterInput) => filterLogEvents(store, groupOf(input), input),
  };
}

/** Tokens say a direction and an event: `f/12` for what comes after it, `b/12` for what comes before. */
function getLogEvents(store: LogStore, group: string, input: GetLogEventsInput): object {
  const { logStreamName, startTime, endTime, limit = EVENTS_PAGE, nextToken, startFromHead, ...rest } = input;
  refuseUnknown('CloudWatch Logs', 'GetLogEvents', rest, ['logGroupName', 'logGroupIdentifier']);
  const [, direction = startFromHead ? 'f' : 'b', id] = /^([fb])\/(\d+)$/.exec(nextToken ?? '') ?? [];
  const newestFirst = direction === 'b';
  const found = store.events(group, {
    ...{ streams: [logStreamName], newestFirst, limit: Math.min(limit, EVENTS_PAGE) },
    ...(startTime !== undefined && { fromMs: startTime }),
    ...(endTime !== undefined && { toMs: endTime }),
    ...(id !== undefined && { after: Number(id) }),
  });
  if (newestFirst) found.reverse();
  return {
    events: found.map(({ timeMs, message }) => ({ timestamp: timeMs, message, ingestionTime: timeMs })),
    nextForwardToken: `f/${found.at(-1)?.id ?? id ?? 0}`,
    nextBackwardToken: `b/${found[0]?.id ?? id ?? 0}`,
  };
}

function filterLogEvents(store: LogStore, group: string, input: FilterInput): object {
  const {
    logStreamNames,
    logStreamNamePrefix,
    startTime,
    endTime,
    limit = EVENTS_PAGE,
    nextToken,
    filterPattern = '',
    ...rest
  } = input;
  refuseUnknown('CloudWatch Logs', 'FilterLogEvents', rest, ['logGroupName', 'logGroupIdentifier', 'interleaved']);
  const isWanted = filterOf(filterPattern);
  const wanted: LogEvent[] = [];
  const max = Math.min(limit, EVENTS_PAGE);
  let after = Number(nextToken ?? 0);
  let isMore = true;
  while (isMore && wanted.length < max) {
    const events = store.events(group, {
      ...{ after, limit: EVENTS_PAGE },
      ...(logStreamNames && { streams: logStreamNames }),
      ...(logStreamNamePrefix !== undefined && { streamPrefix: logStreamNamePrefix }),
      ...(startTime !== undefined && { fromMs: startTime }),
      ...(endTime !== undefined && { toMs: endTime }),
    });
    for (const event of events) {
      if (wanted.length === max) break;
      after = event.id;
      if (isWanted(event.message)) wanted.push(event);
    }
    isMore = events.length > 0 && (events.length === EVENTS_PAGE || after < (events.at(-1)?.id ?? 0));
  }
  return {
    events: wanted.map(({ id, stream, timeMs, message }) => ({
      ...{ logStreamName: stream, timestamp: timeMs, message, ingestionTime: timeMs, eventId: String(id) },
    })),
    searchedLogStreams: [],
    ...(isMore && { nextToken: String(after) }),
  };
}

/** Terms that a line must all have, each a word or a phrase in quotes. JSON and space-delimited patterns are refused. */
function filterOf(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (/^[{[?%]/.test(text) || /(?:^|\s)[-?]/.test(text)) {
    throw notImplemented(
      'CloudWatch Logs',
      `the filter pattern ${text.slice(0, 100)}`,
      'Give words or "phrases" that a line must all have, and filter further by yourself.',
    );
  }
  const terms = [...text.matchAll(/"([^"]*)"|([^\s"]+)/g)].map(([, phrase, word]) => phrase ?? word ?? '');
  return (message) => terms.every((term) => message.includes(term));
}

function page<T>(all: readonly T[], { limit = GROUPS_PAGE, nextToken }: Paged) {
  const { items, next } = pageOf(all, Math.min(limit, GROUPS_PAGE), nextToken);
  return { found: items, next: next === undefined ? {} : { nextToken: next } };
}

function arnOf(group: string): string {
  return arn('logs', `log-group:${group}`);
}
