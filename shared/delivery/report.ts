import { Logger } from '@aws-lambda-powertools/logger';
import type { Outcome } from './deliver.ts';

const logger = new Logger();

/** Examples in one log line: enough to look further, and bounded however bad the batch. */
const EXAMPLES_MAX = 5;

/** Logs what a batch's outcome asks somebody to look at. Never a value or an identifier: they may be personal data. */
export function logOutcome(outcome: Outcome): void {
  const { rejections, failures, checkpoint } = outcome;
  if (rejections.length > 0) {
    logger.warn('Records were put into quarantine', {
      records: rejections.length,
      examples: rejections
        .slice(0, EXAMPLES_MAX)
        .map(({ sequenceNumber, reason, path, message }) => ({ sequenceNumber, reason, path, message })),
    });
  }
  if (failures.length > 0) {
    logger.error('Part of the batch is to be delivered again', {
      from: checkpoint,
      failures: failures.length,
      examples: failures.slice(0, EXAMPLES_MAX),
    });
  }
}
