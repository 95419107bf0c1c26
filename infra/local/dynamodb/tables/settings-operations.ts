import { randomUUID } from 'node:crypto';
import { AwsError } from '../../protocol/aws-error.ts';
import type { Action, Actions } from '../engine/action.ts';
import { type FieldTypes, invalid, TABLE_NAME } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import type { Table, TableSettings } from '../engine/table.ts';
import { tableNamed } from './create-table.ts';

/** Days a table can be restored to, unless a request says. Source: UpdateContinuousBackups. */
const RECOVERY_DAYS = { default: 35, min: 1, max: 35 };
const DAY_SECONDS = 86_400;

interface OfTable {
  TableName: string;
}

/** Settings of tables: time to live is acted on; what has no meaning here is remembered and answered. */
export function settingsOperations(store: Store): Actions {
  const set = (table: Table, settings: Partial<TableSettings>) =>
    store.save(table.description, { ...table.settings, ...settings });
  const of = <T extends OfTable>(types: FieldTypes, run: (table: Table, data: T) => object): Action => ({
    rules: { types: { TableName: TABLE_NAME, ...types } },
    run: (data: T) => run(tableNamed(store, data.TableName), data),
  });
  return {
    DescribeTimeToLive: of({}, ({ settings }) => ({
      TimeToLiveDescription: settings.timeToLive
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: settings.timeToLive }
        : { TimeToLiveStatus: 'DISABLED' },
    })),
    UpdateTimeToLive: of(TIME_TO_LIVE, (table, data: UpdateTimeToLive) => {
      const { AttributeName, Enabled } = data.TimeToLiveSpecification;
      const current = table.settings.timeToLive;
      if (Boolean(current) === Enabled) throw invalid(`TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`);
      if (!Enabled && AttributeName !== current) {
        throw invalid('TimeToLive AttributeName does not match current settings');
      }
      const { timeToLive: _, ...rest } = table.settings;
      store.save(table.description, { ...rest, ...(Enabled && { timeToLive: AttributeName }) });
      return { TimeToLiveSpecification: { AttributeName, Enabled } };
    }),
    DescribeContinuousBackups: of({}, (table) => backups(table)),
    UpdateContinuousBackups: of(POINT_IN_TIME_RECOVERY, (table, data: UpdateContinuousBackups) => {
      const { PointInTimeRecoveryEnabled: enabled, RecoveryPeriodInDays: days = RECOVERY_DAYS.default } =
        data.PointInTimeRecoverySpecification;
      const since = table.settings.pointInTimeRecovery?.since ?? Math.floor(Date.now() / 1_000);
      return backups(set(table, { pointInTimeRecovery: { enabled, days, since } }));
    }),
    ...policyOperations(store, set),
  };
}

const TIME_TO_LIVE: FieldTypes = {
  TimeToLiveSpecification: {
    type: 'FieldStruct<TimeToLiveSpecification>',
    notNull: true,
    children: {
      AttributeName: { type: 'String', notNull: true, lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 255 },
      Enabled: { type: 'Boolean', notNull: true },
    },
  },
};
interface UpdateTimeToLive extends OfTable {
  TimeToLiveSpecification: { AttributeName: string; Enabled: boolean };
}

const POINT_IN_TIME_RECOVERY: FieldTypes = {
  PointInTimeRecoverySpecification: {
    type: 'FieldStruct<PointInTimeRecoverySpecification>',
    notNull: true,
    children: {
      PointInTimeRecoveryEnabled: { type: 'Boolean', notNull: true },
      RecoveryPeriodInDays: {
        type: 'Integer',
        greaterThanOrEqual: RECOVERY_DAYS.min,
        lessThanOrEqual: RECOVERY_DAYS.max,
      },
    },
  },
};
interface UpdateContinuousBackups extends OfTable {
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: boolean; RecoveryPeriodInDays?: number };
}

function backups({ settings: { pointInTimeRecovery: recovery } }: Table): object {
  const now = Math.floor(Date.now() / 1_000);
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: recovery?.enabled
        ? {
            PointInTimeRecoveryStatus: 'ENABLED',
            RecoveryPeriodInDays: recovery.days,
            EarliestRestorableDateTime: Math.max(recovery.since, now - recovery.days * DAY_SECONDS),
            LatestRestorableDateTime: Math.max(recovery.since, now - 300),
          }
        : { PointInTimeRecoveryStatus: 'DISABLED' },
    },
  };
}

interface OfPolicy {
  ResourceArn: string;
  Policy: string;
  ExpectedRevisionId?: string;
}

/** Policies are kept, not enforced: whoever reaches the local cloud owns it. */
function policyOperations(store: Store, set: (table: Table, settings: Partial<TableSettings>) => Table): Actions {
  const types = { ResourceArn: { type: 'String', notNull: true } };
  const missing = (arn: string) =>
    new AwsError('PolicyNotFoundException', `Resource-based policy not found for the provided ResourceArn: ${arn}`);
  const checkRevision = (table: Table, { ExpectedRevisionId: expected, ResourceArn }: OfPolicy) => {
    const current = table.settings.resourcePolicy?.revision ?? 'NO_POLICY';
    if (expected !== undefined && expected !== current) throw missing(ResourceArn);
  };
  return {
    GetResourcePolicy: {
      rules: { types },
      run: ({ ResourceArn }: OfPolicy) => {
        const found = tableNamed(store, ResourceArn).settings.resourcePolicy;
        if (!found) throw missing(ResourceArn);
        return { Policy: found.policy, RevisionId: found.revision };
      },
    },
    PutResourcePolicy: {
      rules: {
        types: {
          ...types,
          Policy: { type: 'String', notNull: true },
          ExpectedRevisionId: 'String',
          ConfirmRemoveSelfResourceAccess: 'Boolean',
        },
      },
      run: (data: OfPolicy) => {
        const table = tableNamed(store, data.ResourceArn);
        checkRevision(table, data);
        const revision = randomUUID();
        set(table, { resourcePolicy: { policy: data.Policy, revision } });
        return { RevisionId: revision };
      },
    },
    DeleteResourcePolicy: {
      rules: { types: { ...types, ExpectedRevisionId: 'String' } },
      run: (data: OfPolicy) => {
        const table = tableNamed(store, data.ResourceArn);
        checkRevision(table, data);
        const { resourcePolicy, ...rest } = table.settings;
        store.save(table.description, rest);
        return resourcePolicy ? { RevisionId: resourcePolicy.revision } : {};
      },
    },
  };
}
