/** Characters of an event time up to its second, `YYYY-MM-DDTHH:MM:SS`. */
const SECOND_CHARACTERS = 19;

/** A date, or a date and a time of at least minutes; without a zone it is UTC. */
const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * The last second that counts as of a moment, `YYYY-MM-DDTHH:MM:SS`. Its whole second counts: the milliseconds of an
 * event time are ordinals, and no clock.
 *
 * @throws Error saying what is expected.
 */
export function secondOf(moment: string): string {
  const zoned = /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(moment) || !moment.includes('T') ? moment : `${moment}Z`;
  const ms = MOMENT.test(moment) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new Error(
      `--as-of: found "${moment}", expected a time in ISO 8601, such as 2026-11-26T12:00:00Z or 2026-11-26.`,
    );
  }
  return new Date(ms).toISOString().slice(0, SECOND_CHARACTERS);
}

/** Condition on rows of the change log: those of the second and of all before. */
export const untilSecondSql = (second: string): string =>
  `substr("event_time", 1, ${SECOND_CHARACTERS}) <= '${second}'`;
