import type { DatabaseSync } from 'node:sqlite';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation, Service } from '../protocol/service.ts';

/**
 * The part of CloudWatch that deployments hang on: alarms, and their states. No metric is gathered here, so an alarm
 * changes its state when SetAlarmState says so, and stays in it.
 */

const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const;
type AlarmState = (typeof STATES)[number];

/** Longest name of an alarm. Source: PutMetricAlarm. */
const NAME_MAX = 255;

/** Parameters of PutMetricAlarm that are kept and shown. Actions are not among them: none would be carried out. */
const PARAMETERS = [
  ...['AlarmName', 'AlarmDescription', 'Namespace', 'MetricName', 'Dimensions', 'Statistic', 'ExtendedStatistic'],
  ...['Period', 'EvaluationPeriods', 'DatapointsToAlarm', 'Threshold', 'ComparisonOperator', 'TreatMissingData'],
  ...['EvaluateLowSampleCountPercentile', 'Unit', 'Tags'],
];

const REQUIRED = ['AlarmName', 'MetricName', 'Namespace', 'Period', 'EvaluationPeriods', 'Threshold'];

/** Alarms that one answer describes, unless asked for up to 100. Source: DescribeAlarms. */
const RECORDS_DEFAULT = 50;

interface DescribeAlarmsInput {
  readonly AlarmNames?: readonly string[];
  readonly AlarmNamePrefix?: string;
  readonly StateValue?: AlarmState;
  readonly MaxRecords?: number;
}

/** Tells the state of an alarm; undefined when there is none of that name. */
export type AlarmStateOf = (alarmName: string) => AlarmState | undefined;

/** CloudWatch's alarms. `onChange` hears of every change of a state, so that what hangs on it can act at once. */
export function cloudWatch({ db }: { db: DatabaseSync }): {
  service: Service;
  stateOf: AlarmStateOf;
  onChange(listener: () => Promise<void>): void;
} {
  db.exec(`CREATE TABLE IF NOT EXISTS cloudwatch_alarms (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, changed_ms INTEGER NOT NULL, body TEXT NOT NULL)`);
  const listeners: (() => Promise<void>)[] = [];
  const stateOf: AlarmStateOf = (name) => {
    const row = db.prepare('SELECT state FROM cloudwatch_alarms WHERE name = ?').get(name);
    return row && (String(row.state) as AlarmState);
  };
  const operations: Record<string, Operation> = {
    PutMetricAlarm: (input: Record<string, unknown>) => {
      refuseUnknown('CloudWatch', 'PutMetricAlarm', input, PARAMETERS);
      for (const member of REQUIRED) if (input[member] === undefined) throw invalid(`${member} is required`);
      const { AlarmName, Tags, ...body } = input;
      const name = String(AlarmName);
      if (name.length === 0 || name.length > NAME_MAX) throw invalid(`AlarmName must have 1 to ${NAME_MAX} characters`);
      db.prepare(
        `INSERT INTO cloudwatch_alarms VALUES (?, 'INSUFFICIENT_DATA', 'Unchecked: Initial alarm creation', ?, ?)
         ON CONFLICT (name) DO UPDATE SET body = excluded.body`,
      ).run(name, Date.now(), JSON.stringify(body));
      return {};
    },

    DescribeAlarms: (input: DescribeAlarmsInput) => {
      const honoured = ['AlarmNames', 'AlarmNamePrefix', 'StateValue', 'MaxRecords'];
      refuseUnknown('CloudWatch', 'DescribeAlarms', input, honoured);
      const { AlarmNames, AlarmNamePrefix = '', StateValue, MaxRecords = RECORDS_DEFAULT } = input;
      const found = db.prepare('SELECT * FROM cloudwatch_alarms ORDER BY name').all().map(describe);
      const MetricAlarms = found.filter(
        (it) =>
          (AlarmNames?.includes(it.AlarmName) ?? true) &&
          it.AlarmName.startsWith(AlarmNamePrefix) &&
          (StateValue ?? it.StateValue) === it.StateValue,
      );
      // The next page is refused, loudly: whoever asks for it needs more than is here.
      const next = MetricAlarms.length > MaxRecords && { NextToken: 'next' };
      return { MetricAlarms: MetricAlarms.slice(0, MaxRecords), CompositeAlarms: [], ...next };
    },

    SetAlarmState: async (input: { AlarmName: string; StateValue: AlarmState; StateReason: string }) => {
      refuseUnknown('CloudWatch', 'SetAlarmState', input, ['AlarmName', 'StateValue', 'StateReason']);
      if (!STATES.includes(input.StateValue)) throw invalid(`StateValue must be one of ${STATES.join(', ')}`);
      const { changes } = db
        .prepare('UPDATE cloudwatch_alarms SET state = ?, reason = ?, changed_ms = ? WHERE name = ?')
        .run(input.StateValue, input.StateReason, Date.now(), input.AlarmName);
      if (changes === 0) throw new AwsError('ResourceNotFound', `Unknown alarm: ${input.AlarmName}`, 404);
      for (const listener of listeners) await listener();
      return {};
    },

    DeleteAlarms: (input: { AlarmNames: readonly string[] }) => {
      refuseUnknown('CloudWatch', 'DeleteAlarms', input, ['AlarmNames']);
      for (const name of input.AlarmNames) db.prepare('DELETE FROM cloudwatch_alarms WHERE name = ?').run(name);
      return {};
    },
  };
  return {
    service: {
      name: 'cloudwatch',
      target: 'GraniteServiceVersion20100801',
      contentType: 'application/x-amz-json-1.0',
      operations,
    },
    stateOf,
    onChange: (listener) => listeners.push(listener),
  };
}

function describe(row: Record<string, unknown>) {
  return {
    AlarmName: String(row.name),
    ...(JSON.parse(String(row.body)) as object),
    ActionsEnabled: false,
    StateValue: String(row.state) as AlarmState,
    StateReason: String(row.reason),
    StateUpdatedTimestamp: Number(row.changed_ms) / 1000,
  };
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message);
}
