import type { DatabaseSync } from 'node:sqlite';
import { arn } from '../protocol/arn.ts';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';
import type { Operation } from '../protocol/service.ts';
import { type AlarmParameters, type AlarmState, checkAlarm, evaluateAlarm, STATES } from './alarm-state.ts';
import type { MetricStore } from './metric-store.ts';

/** Longest name of an alarm. Source: PutMetricAlarm. */
const NAME_MAX = 255;

/** Parameters of PutMetricAlarm. Actions are kept and shown, and not carried out: there is nobody to tell. */
const PARAMETERS = [
  ...['AlarmName', 'AlarmDescription', 'Namespace', 'MetricName', 'Dimensions', 'Statistic', 'ExtendedStatistic'],
  ...['Period', 'EvaluationPeriods', 'DatapointsToAlarm', 'Threshold', 'ComparisonOperator', 'TreatMissingData'],
  ...['Unit', 'Metrics', 'Tags', 'ActionsEnabled', 'AlarmActions', 'OKActions', 'InsufficientDataActions'],
  'EvaluateLowSampleCountPercentile',
];
const REQUIRED = ['AlarmName', 'EvaluationPeriods', 'Threshold', 'ComparisonOperator'];

/** Alarms that one answer describes: default and greatest. Source: DescribeAlarms. */
const RECORDS_DEFAULT = 50;
const RECORDS_MAX = 100;

/** How long a state that SetAlarmState has set stands before the metrics count again, in milliseconds. */
const SET_STATE_MS = 60_000;

interface Alarm extends AlarmParameters {
  readonly AlarmName: string;
  readonly state: AlarmState;
  readonly reason: string;
  readonly changedMs: number;
}

interface DescribeAlarmsInput {
  readonly AlarmNames?: readonly string[];
  readonly AlarmNamePrefix?: string;
  readonly AlarmTypes?: readonly string[];
  readonly StateValue?: AlarmState;
  readonly MaxRecords?: number;
  readonly NextToken?: string;
}

/**
 * Alarms in SQLite. One is evaluated whenever somebody looks at it; a state that SetAlarmState has set stands for a
 * minute, as it is for trying out what hangs on an alarm.
 */
export class Alarms {
  readonly #db: DatabaseSync;
  readonly #metrics: MetricStore;
  readonly #setUntilMs = new Map<string, number>();
  readonly #listeners: (() => Promise<void>)[] = [];

  constructor(db: DatabaseSync, metrics: MetricStore) {
    this.#db = db;
    this.#metrics = metrics;
    db.exec(`CREATE TABLE IF NOT EXISTS cloudwatch_alarms (
      name TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, changed_ms INTEGER NOT NULL, body TEXT NOT NULL)`);
  }

  readonly operations: Record<string, Operation> = {
    PutMetricAlarm: (input: Record<string, unknown>) => {
      this.put(input);
      return {};
    },
    DescribeAlarms: (input: DescribeAlarmsInput) => this.#describe(input),
    DescribeAlarmsForMetric: (input: { Namespace: string; MetricName: string }) => {
      refuseUnknown('CloudWatch', 'DescribeAlarmsForMetric', input, [
        'Namespace',
        'MetricName',
        'Dimensions',
        'Statistic',
        'Period',
      ]);
      const watches = ({ Namespace, MetricName, Metrics = [] }: Alarm) =>
        [{ Namespace, MetricName }, ...Metrics.map((it) => it.MetricStat?.Metric)].some(
          (it) => it?.Namespace === input.Namespace && it.MetricName === input.MetricName,
        );
      return { MetricAlarms: this.#all().filter(watches).map(described) };
    },
    SetAlarmState: async (input: { AlarmName: string; StateValue: AlarmState; StateReason: string }) => {
      refuseUnknown('CloudWatch', 'SetAlarmState', input, [
        'AlarmName',
        'StateValue',
        'StateReason',
        'StateReasonData',
      ]);
      const { AlarmName, StateValue, StateReason } = input;
      if (!STATES.includes(StateValue)) throw invalid(`StateValue must be one of ${STATES.join(', ')}`);
      if (!this.#set(AlarmName, StateValue, StateReason)) {
        throw new AwsError('ResourceNotFound', `Unknown alarm: ${AlarmName}`, 404);
      }
      this.#setUntilMs.set(AlarmName, Date.now() + SET_STATE_MS);
      for (const listener of this.#listeners) await listener();
      return {};
    },
    DeleteAlarms: (input: { AlarmNames: readonly string[] }) => {
      refuseUnknown('CloudWatch', 'DeleteAlarms', input, ['AlarmNames']);
      for (const name of input.AlarmNames) this.#db.prepare('DELETE FROM cloudwatch_alarms WHERE name = ?').run(name);
      return {};
    },
  };

  /** Makes or replaces an alarm. @throws AwsError for one that could not be evaluated here. */
  put(input: Record<string, unknown>): void {
    refuseUnknown('CloudWatch', 'PutMetricAlarm', input, PARAMETERS);
    for (const member of REQUIRED) if (input[member] === undefined) throw invalid(`${member} is required`);
    const { AlarmName, Tags, ...body } = input;
    const name = String(AlarmName);
    if (name.length === 0 || name.length > NAME_MAX) throw invalid(`AlarmName must have 1 to ${NAME_MAX} characters`);
    checkAlarm(body as unknown as AlarmParameters, this.#metrics);
    this.#db
      .prepare(`INSERT INTO cloudwatch_alarms VALUES (?, 'INSUFFICIENT_DATA', 'Unchecked: Initial alarm creation', ?, ?)
         ON CONFLICT (name) DO UPDATE SET body = excluded.body`)
      .run(name, Date.now(), JSON.stringify(body));
  }

  /** The state of an alarm; undefined when there is none of that name. */
  stateOf(name: string): AlarmState | undefined {
    const row = this.#db.prepare('SELECT * FROM cloudwatch_alarms WHERE name = ?').get(name);
    return row && this.#evaluated(alarmOf(row)).state;
  }

  /** Hears when SetAlarmState has changed a state, so that what hangs on it can act at once. */
  onChange(listener: () => Promise<void>): void {
    this.#listeners.push(listener);
  }

  #describe(input: DescribeAlarmsInput): object {
    const honoured = ['AlarmNames', 'AlarmNamePrefix', 'AlarmTypes', 'StateValue', 'MaxRecords', 'NextToken'];
    refuseUnknown('CloudWatch', 'DescribeAlarms', input, honoured);
    const { AlarmNames, AlarmNamePrefix = '', AlarmTypes, StateValue, MaxRecords = RECORDS_DEFAULT, NextToken } = input;
    const found = this.#all().filter(
      (it) =>
        (AlarmNames?.includes(it.AlarmName) ?? true) &&
        (AlarmTypes?.includes('MetricAlarm') ?? true) &&
        it.AlarmName.startsWith(AlarmNamePrefix) &&
        (StateValue ?? it.state) === it.state,
    );
    const { items, next } = pageOf(found, Math.min(Number(MaxRecords), RECORDS_MAX), NextToken);
    return {
      MetricAlarms: items.map(described),
      CompositeAlarms: [],
      ...(next !== undefined && { NextToken: next }),
    };
  }

  #all(): Alarm[] {
    return this.#db
      .prepare('SELECT * FROM cloudwatch_alarms ORDER BY name')
      .all()
      .map((row) => this.#evaluated(alarmOf(row)));
  }

  #evaluated(alarm: Alarm): Alarm {
    const now = Date.now();
    if ((this.#setUntilMs.get(alarm.AlarmName) ?? 0) > now) return alarm;
    const { state, reason } = evaluateAlarm(alarm, this.#metrics, alarm.state, now);
    if (state === alarm.state) return alarm;
    this.#set(alarm.AlarmName, state, reason);
    return { ...alarm, state, reason, changedMs: now };
  }

  #set(name: string, state: AlarmState, reason: string): boolean {
    const { changes } = this.#db
      .prepare('UPDATE cloudwatch_alarms SET state = ?, reason = ?, changed_ms = ? WHERE name = ?')
      .run(state, reason, Date.now(), name);
    return changes === 1;
  }
}

function alarmOf(row: Record<string, unknown>): Alarm {
  return {
    ...(JSON.parse(String(row.body)) as AlarmParameters),
    ...{ AlarmName: String(row.name), state: row.state as AlarmState, reason: String(row.reason) },
    changedMs: Number(row.changed_ms),
  };
}

function described({ AlarmName, state, reason, changedMs, ...parameters }: Alarm) {
  return {
    AlarmName,
    AlarmArn: arn('cloudwatch', `alarm:${AlarmName}`),
    ...parameters,
    ActionsEnabled: false,
    ...{ StateValue: state, StateReason: reason, StateUpdatedTimestamp: changedMs / 1_000 },
  };
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message);
}
