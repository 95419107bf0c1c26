import { SEQUENCE_NUMBER_DIGITS_MAX } from '../changes/sequence-number.ts';
import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';

/**
 * Trino SQL over the change log, as Athena runs it. The views of infra/aws and the training set are built on the same
 * statements, so that "the latest row" has one meaning.
 */

/** Characters of an event time up to its second, `YYYY-MM-DDTHH:MM:SS`. */
const SECOND_CHARACTERS = 19;

/**
 * The order of one record's changes, as a text that compares as they do: by the second, then by the sequence number.
 * Not by the milliseconds: they are ordinals, and a change that is delivered again may carry a lower one than at first.
 * They come last, as a repair may bear the number of a change of the same second.
 */
export const RECENCY = `substr("event_time", 1, ${SECOND_CHARACTERS}) || lpad("sequence_number", ${SEQUENCE_NUMBER_DIGITS_MAX}, '0') || "event_time"`;

/** Condition that picks the rows which say that an item is gone: changes of the stream, and repairs. */
export const DELETED = `"event_name" IN ('REMOVE', 'REPAIR_REMOVE')`;

/**
 * The rows that are copies of one another, as rows are written at least once. A repair bears the number of the change
 * that it was made for, and is none.
 */
export const COPIES = `"sequence_number", "event_name" IN ('REPAIR', 'REPAIR_REMOVE')`;

/** Prefix of its files in the data bucket; a folder for each day follows. */
export const CHANGE_LOG_PREFIX = 'change-log/';
/** Glue's table of the change log, and the views over it. */
export const CHANGE_LOG_TABLE = 'change_log';
/** Glue's table of the same files whose features are texts, digit by digit: columns of DOUBLE are not exact. */
export const CHANGE_LOG_TEXTS_TABLE = 'change_log_texts';
export const LATEST_VIEW = 'latest';
export const LATEST_FROM_HISTORY_VIEW = 'latest_from_history';
export const DATASOURCE_VIEW = 'datasource';

/** A name as Athena knows it: Glue and Trino fold names to lower case. Quoted, as a name may be `a-b` or a keyword. */
export function sqlName(name: string): string {
  return `"${name.toLowerCase()}"`;
}

/** A text literal of SQL. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The live rows: of each record its latest change, unless that is a deletion. Columns: the record identifier,
 * `event_time`, then the features and the label in the order of the change log. Deletions are applied after the pick:
 * dropped before it, the row they deleted would come back.
 *
 * @param database Glue database of the stack, for a statement that runs outside of it.
 */
export function latestRowsSql(group: FeatureGroup, database: string): string {
  return latestRowsOf(group, latestChangesSql(group, changesSql(group, database, '*')));
}

/** @param latestChanges query for the latest change of each record. */
export function latestRowsOf(group: FeatureGroup, latestChanges: string): string {
  const record = sqlName(group.recordIdentifier.name);
  const columns = columnsOf(group).map((column) => sqlName(column.name));
  return `SELECT ${[record, '"event_time"', ...columns].join(', ')}
FROM (
${latestChanges}
) AS "latest_changes"
WHERE NOT (${DELETED})`;
}

/**
 * Every change that counts, duplicates and all: without the deletions that the definition keeps from taking effect.
 *
 * @param sinceDay first partition to read, `YYYY-MM-DD`. Absent: all of them.
 */
export function changesSql(
  group: FeatureGroup,
  database: string,
  columns: string,
  sinceDay?: string,
  table = CHANGE_LOG_TABLE,
): string {
  const kept = keptDeletions(group);
  const conditions = [
    ...(sinceDay === undefined ? [] : [`"dt" >= ${sqlText(sinceDay)}`]),
    ...(kept ? [`NOT (${kept})`] : []),
  ];
  const where = conditions.length > 0 ? `\nWHERE ${conditions.join(' AND ')}` : '';
  return `SELECT ${columns}\nFROM ${sqlName(database)}.${sqlName(table)}${where}`;
}

/**
 * Of each record its latest change, deletions included. A change that is there twice (at-least-once) has the same
 * sequence number in all its copies, so picking one row per record also removes duplicates.
 *
 * @param changes query for the changes, in any order.
 * @param beside what else is to be computed of all changes of a record, as `, expression AS name`.
 */
export function latestChangesSql(group: FeatureGroup, changes: string, beside = ''): string {
  // A name of the definition cannot begin with `_`, so `_nth` is nobody's column.
  return `SELECT * FROM (
  SELECT *, row_number() OVER (
    PARTITION BY ${sqlName(group.recordIdentifier.name)}
    ORDER BY ${RECENCY} DESC, "dt" DESC
  ) AS "_nth"${beside}
  FROM (
${changes}
  ) AS "changes"
) AS "ranked"
WHERE "_nth" = 1`;
}

/** The features and the label of the live rows, without the record identifier. */
export function datasourceSql(group: FeatureGroup, database: string): string {
  const columns = columnsOf(group).map((column) => sqlName(column.name));
  return `SELECT ${columns.join(', ')}\nFROM ${sqlName(database)}.${sqlName(LATEST_VIEW)}`;
}

/**
 * Correlation with the label of every training feature that is a number, a boolean, or one of two categories (the
 * second counts as 1). `undefined` when the definition has none, or no label, or one of several classes, whose numbers say
 * nothing of more or less.
 */
export function correlationSql(group: FeatureGroup): string | undefined {
  if (!group.label || group.label.classes) return undefined;
  const label = sqlName(group.label.name);
  const correlations = group.features.flatMap((feature) => {
    if (!feature.training) return [];
    if (feature.type === 'hashed') return [];
    if (feature.type !== 'categorical') return [{ name: feature.name, value: sqlName(feature.name) }];
    const [, second, third] = feature.categories;
    if (second === undefined || third !== undefined || feature.others) return [];
    const isSecond = `CASE WHEN ${sqlName(feature.name)} = ${sqlText(second)} THEN 1 ELSE 0 END`;
    return [{ name: feature.name, value: isSecond }];
  });
  if (correlations.length === 0) return undefined;
  const columns = correlations.map(
    ({ name, value }) => `  corr(${value}, ${label}) AS ${sqlName(`correlation_${name}_and_target`)}`,
  );
  return `SELECT\n${columns.join(',\n')}\nFROM ${sqlName(DATASOURCE_VIEW)}`;
}

/** Condition that picks the deletions which the definition keeps from taking effect; empty when there are none. */
function keptDeletions(group: FeatureGroup): string {
  const { onDelete, onTtlExpiry } = group;
  if (onDelete === 'delete' && onTtlExpiry === 'delete') return '';
  const removed = `"event_name" = 'REMOVE'`;
  if (onDelete === 'keep' && onTtlExpiry === 'keep') return removed;
  return `${removed} AND ${onDelete === 'keep' ? 'NOT ' : ''}"ttl_expired"`;
}
