import type { DatabaseSync } from 'node:sqlite';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import type { Dynalite } from './dynalite.ts';

/** What is set of a table and dynalite does not keep. */
interface Settings {
  readonly DeletionProtectionEnabled: boolean;
  /** Attribute that holds an item's expiry; absent when time to live is off. */
  readonly TimeToLive: string | undefined;
  readonly PointInTimeRecovery: boolean;
}

export interface TableSettings {
  get<K extends keyof Settings>(tableName: string, name: K): Settings[K] | undefined;
  set<K extends keyof Settings>(tableName: string, name: K, value: Settings[K]): void;
  forget(tableName: string): void;
  /** Tables whose items expire, and the attribute that says when. */
  expiring(): { tableName: string; attribute: string }[];
}

/** Table settings remembered in SQLite. */
export function tableSettings(db: DatabaseSync): TableSettings {
  db.exec(`CREATE TABLE IF NOT EXISTS dynamodb_table_settings (
    table_name TEXT, name TEXT, value TEXT, PRIMARY KEY (table_name, name))`);
  const select = db.prepare('SELECT value FROM dynamodb_table_settings WHERE table_name = ? AND name = ?');
  return {
    get(tableName, name) {
      const row = select.get(tableName, name);
      return row && JSON.parse(String(row.value));
    },
    set(tableName, name, value) {
      db.prepare('INSERT OR REPLACE INTO dynamodb_table_settings VALUES (?, ?, ?)').run(
        tableName,
        name,
        JSON.stringify(value ?? null),
      );
    },
    forget(tableName) {
      db.prepare('DELETE FROM dynamodb_table_settings WHERE table_name = ?').run(tableName);
    },
    expiring: () =>
      db
        .prepare("SELECT table_name, value FROM dynamodb_table_settings WHERE name = 'TimeToLive' AND value <> 'null'")
        .all()
        .map((row) => ({ tableName: String(row.table_name), attribute: JSON.parse(String(row.value)) })),
  };
}

interface UpdateTimeToLive {
  TableName: string;
  TimeToLiveSpecification: { AttributeName: string; Enabled: boolean };
}
interface UpdateContinuousBackups {
  TableName: string;
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: boolean };
}

/** Time to live, which is acted on, and point in time recovery, which is remembered and restores nothing here. */
export function settingsOperations(dynalite: Dynalite, settings: TableSettings): Record<string, Operation> {
  const exists = (TableName: string) => dynalite.run('DescribeTable', { TableName });
  const backups = (tableName: string) => ({
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: {
        PointInTimeRecoveryStatus: settings.get(tableName, 'PointInTimeRecovery') ? 'ENABLED' : 'DISABLED',
      },
    },
  });
  return {
    DescribeTimeToLive: async (input: { TableName: string }) => {
      await exists(input.TableName);
      const attribute = settings.get(input.TableName, 'TimeToLive');
      return {
        TimeToLiveDescription: attribute
          ? { TimeToLiveStatus: 'ENABLED', AttributeName: attribute }
          : { TimeToLiveStatus: 'DISABLED' },
      };
    },
    UpdateTimeToLive: async (input: UpdateTimeToLive) => {
      refuseUnknown('dynamodb', 'UpdateTimeToLive', input, ['TableName', 'TimeToLiveSpecification']);
      await exists(input.TableName);
      const { AttributeName, Enabled } = input.TimeToLiveSpecification;
      const current = settings.get(input.TableName, 'TimeToLive');
      if (Boolean(current) === Enabled) {
        throw new AwsError('ValidationException', `TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`);
      }
      settings.set(input.TableName, 'TimeToLive', Enabled ? AttributeName : undefined);
      return { TimeToLiveSpecification: input.TimeToLiveSpecification };
    },
    DescribeContinuousBackups: async (input: { TableName: string }) => {
      await exists(input.TableName);
      return backups(input.TableName);
    },
    UpdateContinuousBackups: async (input: UpdateContinuousBackups) => {
      const { PointInTimeRecoverySpecification: specification } = input;
      refuseUnknown('dynamodb', 'UpdateContinuousBackups', specification, ['PointInTimeRecoveryEnabled']);
      await exists(input.TableName);
      settings.set(input.TableName, 'PointInTimeRecovery', specification.PointInTimeRecoveryEnabled);
      return backups(input.TableName);
    },
  };
}
