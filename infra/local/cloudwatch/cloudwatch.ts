import type { DatabaseSync } from 'node:sqlite';
import type { Service } from '../protocol/service.ts';
import type { AlarmState } from './alarm-state.ts';
import { Alarms } from './alarms.ts';
import { Dashboards } from './dashboards.ts';
import { metricOperations } from './metric-operations.ts';
import { MetricStore, type RecordDatum } from './metric-store.ts';

/** Tells the state of an alarm; undefined when there is none of that name. */
export type AlarmStateOf = (alarmName: string) => AlarmState | undefined;

/**
 * CloudWatch: metrics that the services here measure and functions print, alarms that are evaluated over them, and
 * dashboards. `onChange` hears when SetAlarmState changes a state, so that what hangs on an alarm can act at once.
 */
export function cloudWatch({ db }: { db: DatabaseSync }): {
  service: Service;
  record: RecordDatum;
  putAlarm(parameters: Record<string, unknown>): void;
  putDashboard(name: string, body: string): void;
  stateOf: AlarmStateOf;
  onChange(listener: () => Promise<void>): void;
} {
  const metrics = new MetricStore(db);
  const alarms = new Alarms(db, metrics);
  const dashboards = new Dashboards();
  return {
    service: {
      name: 'cloudwatch',
      target: 'GraniteServiceVersion20100801',
      contentType: 'application/x-amz-json-1.0',
      query: { version: '2010-08-01', namespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/' },
      operations: { ...metricOperations(metrics), ...alarms.operations, ...dashboards.operations },
    },
    record: metrics.record,
    putAlarm: (parameters) => alarms.put(parameters),
    putDashboard: (name, body) => dashboards.put(name, body),
    stateOf: (name) => alarms.stateOf(name),
    onChange: (listener) => alarms.onChange(listener),
  };
}
