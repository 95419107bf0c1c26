import { changesSql, DELETED, LATEST_VIEW, latestChangesSql, sqlName } from '../../shared/change-log/sql.ts';
import { columnsOf, type FeatureGroup, labelOf } from '../../shared/definition/feature-group.ts';
import { partSql } from '../../shared/training/training-set.ts';
import { untilSecondSql } from './moment.ts';

/** Name of the column with the part that a training deals a record into. */
const PART = 'part';

/** Which records are asked for. */
export interface Selection {
  /** Last second that counts; without it, the records of now. */
  readonly second?: string | undefined;
  /** Only records that have a label. */
  readonly labeledOnly: boolean;
}

/** Names of the columns of {@link recordsSql} in the definition's own letters, which Athena folds. */
export function recordColumns(group: FeatureGroup): string[] {
  const features = group.features.map(({ name }) => name);
  const columns = [group.recordIdentifier.name, 'event_time', ...features, ...(group.label ? [group.label.name] : [])];
  // A name of the definition cannot begin with `_`.
  return [...columns, columns.some((name) => name.toLowerCase() === PART) ? `_${PART}` : PART];
}

/** All records that are alive: identifier, event time, features, label, and the part that a training deals them into. */
export function recordsSql(group: FeatureGroup, database: string, { second, labeledOnly }: Selection): string {
  const columns = recordColumns(group).map(sqlName);
  const part = columns.pop();
  const where = labeledOnly ? `\nWHERE ${sqlName(labelOf(group).name)} IS NOT NULL` : '';
  return `SELECT ${columns.join(', ')}, ${partSql(group, 'records')} AS ${part}
FROM (
${second === undefined ? nowSql(group, database) : asOfSql(group, database, second)}
) AS "records"${where}`;
}

const nowSql = (group: FeatureGroup, database: string): string =>
  `SELECT ${selected(group)} FROM ${sqlName(database)}.${sqlName(LATEST_VIEW)}`;

/** The records as the change log has them at the end of a second. */
export function asOfSql(group: FeatureGroup, database: string, second: string, condition = ''): string {
  return `SELECT ${selected(group)}
FROM (
${latestChangesSql(
  group,
  `SELECT * FROM (
${changesSql(group, database, '*')}
) AS "all_changes"
WHERE ${untilSecondSql(second)}${condition}`,
)}
) AS "latest_changes"
WHERE NOT (${DELETED})`;
}

function selected(group: FeatureGroup): string {
  const columns = columnsOf(group).map(({ name }) => sqlName(name));
  return [sqlName(group.recordIdentifier.name), '"event_time"', ...columns].join(', ');
}
