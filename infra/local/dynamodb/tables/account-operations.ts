import type { Actions } from '../engine/action.ts';
import { type FieldTypes, integer, TABLE_NAME } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import { tableNamed } from './create-table.ts';

/** Capacity units of an account and of a table. Source: service quotas, "Default throughput quotas" of most Regions. */
const LIMITS = {
  AccountMaxReadCapacityUnits: 80_000,
  AccountMaxWriteCapacityUnits: 80_000,
  TableMaxReadCapacityUnits: 40_000,
  TableMaxWriteCapacityUnits: 40_000,
};

/** Most entries that a page may be asked to have. Source: the API model. */
const PAGE_MAX = 100;
const IMPORTS_PAGE_MAX = 25;

/** Questions of infrastructure code whose answer here is always the same: there are none of these. */
export function accountOperations(store: Store): Actions {
  const list = (member: string, limits: FieldTypes, parameters: readonly string[]) => ({
    rules: { types: { ...Object.fromEntries(parameters.map((name) => [name, anything(name)])), ...limits } },
    run: () => ({ [member]: [] }),
  });
  const of = (types: FieldTypes, run: (data: OfIndex) => object) => ({
    rules: { types: { TableName: TABLE_NAME, ...types } },
    run: (data: OfIndex) => {
      tableNamed(store, data.TableName);
      return run(data);
    },
  });
  const page = ['TableName', 'TableArn', 'NextToken'];
  const times = ['TimeRangeLowerBound', 'TimeRangeUpperBound'];
  return {
    DescribeLimits: { rules: { types: {} }, run: () => LIMITS },
    DescribeContributorInsights: of({ IndexName: 'String' }, ({ TableName, IndexName }) => ({
      TableName,
      ...(IndexName !== undefined && { IndexName }),
      ContributorInsightsStatus: 'DISABLED',
    })),
    DescribeKinesisStreamingDestination: of({}, ({ TableName }) => ({ TableName, KinesisDataStreamDestinations: [] })),
    ListContributorInsights: list(
      'ContributorInsightsSummaries',
      { MaxResults: { type: 'Integer', lessThanOrEqual: PAGE_MAX } },
      page,
    ),
    ListBackups: list('BackupSummaries', { Limit: integer(1, PAGE_MAX) }, [
      'TableName',
      'ExclusiveStartBackupArn',
      'BackupType',
      ...times,
    ]),
    ListImports: list('ImportSummaryList', { PageSize: integer(1, IMPORTS_PAGE_MAX) }, page),
    ListGlobalTables: list('GlobalTables', { Limit: integer(1) }, ['ExclusiveStartGlobalTableName', 'RegionName']),
  };
}

interface OfIndex {
  TableName: string;
  IndexName?: string;
}

function anything(name: string): string {
  return name.startsWith('TimeRange') ? 'Double' : 'String';
}
