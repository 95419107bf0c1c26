import { latestRowsSql } from '../../../shared/change-log/sql.ts';
import type { TimedChange } from '../../../shared/changes/change.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { encode } from '../../../shared/model/encode.ts';
import type { Snapshot } from '../../../shared/state/snapshots.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { learnedFrom } from '../../given/change-histories.ts';
import { BUCKET, localAthena } from '../../given/local/local-athena.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';
import { type LogRow, latestRows, parseRow } from './change-log-rows.ts';
import { Violation } from './violation.ts';

/** Days that the rows arrive on, a half each: the second snapshot is built upon the first. */
const DAYS = [Date.UTC(2026, 1, 1, 12), Date.UTC(2026, 1, 2, 12)] as const;

/**
 * Holds the SQL to the rows that a seed has left in the change log: the latest rows, and the training set from a
 * snapshot that is built upon another, of the latest features and of those as of the label.
 *
 * @param lines rows in the order in which they arrived.
 */
export async function checkSql(group: FeatureGroup, lines: readonly string[]): Promise<void> {
  const athena = await localAthena();
  try {
    const rows = lines.map(parseRow);
    for (const trainingTime of ['latest', 'as-of-label'] as const) {
      const timed = { ...group, trainingTime };
      const database = trainingTime.replaceAll('-', '_');
      await athena.empty();
      athena.createTables(timed, database);
      let base: Snapshot | undefined;
      for (const [half, nowMs] of DAYS.entries()) {
        const arrived = halfOf(lines, half);
        const day = new Date(nowMs).toISOString().slice(0, 10);
        if (arrived.length > 0)
          await athena.objects.put(BUCKET, `change-log/dt=${day}/1`, arrived.map((it) => `${it}\n`).join(''));
        const config = retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: database });
        const plan = trainingPlan(timed, config, { epoch: 1, attempt: half + 1 }, nowMs, base);
        await athena.run(plan.snapshotQuery);
        await athena.run(plan.trainingSetQuery);
        const uris = [plan.trainUri, plan.validationUri, plan.judgeUri];
        const trained = (await Promise.all(uris.map((uri) => athena.read(uri)))).join('');
        const known = half === 0 ? halfOf(rows, 0) : rows;
        agree(
          `training set, ${trainingTime}`,
          trained.split('\n').filter(Boolean).map(numbers),
          expected(timed, known),
        );
        base = plan.snapshot;
      }
      const found = await athena.rows(latestRowsSql(timed, database));
      const live = [...latestRows(timed, rows)].map(([id, row]) => shown(group, [id, row.eventTime, ...row.features]));
      agree(
        'latest rows',
        found.map((row) => shown(group, row)),
        live,
      );
    }
  } finally {
    await athena.close();
  }
}

function halfOf<T>(all: readonly T[], half: number): readonly T[] {
  const middle = Math.floor(all.length / 2);
  return half === 0 ? all.slice(0, middle) : all.slice(middle);
}

/** What training should see, by the encoder of predictions. */
function expected(group: FeatureGroup, rows: readonly LogRow[]): string[] {
  return learnedFrom(group, rows.map(changeOf)).map(({ label, features }) =>
    numbers([label, ...encode(group, features)].join()),
  );
}

function changeOf(row: LogRow): TimedChange {
  const { sequenceNumber, recordIdentifier, ttlExpired, features } = row;
  return {
    ...{ sequenceNumber, recordIdentifier, ttlExpired, newLabel: undefined },
    eventName: row.eventName as TimedChange['eventName'],
    second: Math.floor(Date.parse(row.eventTime) / 1_000),
    eventTimeMs: Date.parse(row.eventTime),
    values: row.eventName.endsWith('REMOVE') ? undefined : features,
  };
}

/** Numbers in one form, whoever has written them. */
const numbers = (line: string): string =>
  line
    .split(',')
    .map((text) => Number(text) + 0)
    .join();

/** A row of the view: identifier, event time, and the features, numbers in one form. */
function shown(group: FeatureGroup, [id, eventTime, ...features]: readonly (string | null | undefined)[]): string {
  const texts = columnsOf(group).map(({ feature }, index) => {
    const text = features[index] ?? null;
    const isDouble = feature !== 'label' && feature.type === 'fractional';
    return isDouble && text !== null ? Number(text) : text;
  });
  return JSON.stringify([id, eventTime, ...texts]);
}

function agree(what: string, found: readonly string[], wanted: readonly string[]): void {
  const [ours, theirs] = [[...found].sort(), [...wanted].sort()];
  const at = ours.findIndex((row, index) => row !== theirs[index]);
  if (at < 0 && ours.length === theirs.length) return;
  const place = at < 0 ? ours.length : at;
  throw new Violation(
    'the SQL reads the change log as the oracle does',
    `${what}: ${ours.length} rows, expected ${theirs.length}; first ${ours[place]}, expected ${theirs[place]}`,
  );
}
