import type { Actions } from '../engine/action.ts';
import { type FieldTypes, TABLE_NAME } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import { tableNamed } from './create-table.ts';

/** Capacity units of an account and of a table. Source: service quotas, "Default throughput quotas" of most Regions. */
const LIMITS = {
  AccountMaxReadCapacityUnits: 80_000,
  AccountMaxWriteCapacityUnits: 80_000,
  TableMaxReadCapacityUnits: 40_000,
  TableMaxWriteCapacityUnits: 40_000,
};

/** Questions of infrastructure code whose answer here is always the same: there are none of these. */
export function accountOperations(store: Store): Actions {
  const list = (member: string, parameters: readonly string[]) => ({
    rules: { types: Object.fromEntries(parameters.map((name) => [name, anything(name)])) },
    run: () => ({ [member]: [] }),
  });
  const of = (types: FieldTypes, run: (data: OfIndex) => object) => ({
    rules: { types: { TableName: TABLE_NAME, ...types } },
    run: (data: OfIndex) => {
      tableNamed(store, data.TableName);
      return run(data);
    },
  });
  const page = ['TableName', 'TableArn', 'NextToken', 'MaxResults'];
  const backups = [
    'TableName',
    'Limit',
    'TimeRangeLowerBound',
    'TimeRangeUpperBound',
    'ExclusiveStartBackupArn',
    'BackupType',
  ];
  return {
    DescribeLimits: { rules: { types: {} }, run: () => LIMITS },
    DescribeContributorInsights: of({ IndexName: 'String' }, ({ TableName, IndexName }) => ({
      TableName,
      ...(IndexName !== undefined && { IndexName }),
      ContributorInsightsStatus: 'DISABLED',
    })),
    DescribeKinesisStreamingDestination: of({}, ({ TableName }) => ({ TableName, KinesisDataStreamDestinations: [] })),
    ListContributorInsights: list('ContributorInsightsSummaries', page),
    ListBackups: list('BackupSummaries', backups),
    ListImports: list('ImportSummaryList', [...page, 'PageSize']),
    ListGlobalTables: list('GlobalTables', ['ExclusiveStartGlobalTableName', 'Limit', 'RegionName']),
  };
}

interface OfIndex {
  TableName: string;
  IndexName?: string;
}

function anything(name: string): string {
  if (/Max|Limit|PageSize/.test(name)) return 'Integer';
  return /TimeRange/.test(name) ? 'Double' : 'String';
}
