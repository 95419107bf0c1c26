import { AwsError } from '../../protocol/aws-error.ts';
import { invalid } from '../engine/dynalite.ts';
import { imageBytes } from '../engine/image.ts';
import type { Store } from '../engine/store.ts';
import { carryOut, type Plan } from '../items/plan.ts';

/** Most bytes of a transaction's items together. Source: TransactWriteItems, "The aggregate size of the items". */
const BYTES_MAX = 4 * 1024 * 1024;

/** Codes of exceptions, as a cancelled transaction gives them for its reasons. */
const REASONS: Readonly<Record<string, string>> = {
  ConditionalCheckFailedException: 'ConditionalCheckFailed',
  ValidationException: 'ValidationError',
  DuplicateItemException: 'DuplicateItem',
};

/**
 * Looks at every action of a transaction before any is carried out.
 *
 * @throws AwsError TransactionCanceledException with a reason for each action when one of them cannot be made;
 * what concerns the whole request, such as a table that is not there, is thrown as it is.
 */
export function planTogether<T>(actions: readonly (() => T)[]): T[] {
  const planned: T[] = [];
  const reasons: object[] = [];
  let isCancelled = false;
  for (const action of actions) {
    try {
      planned.push(action());
      reasons.push({ Code: 'None' });
    } catch (error) {
      const code = error instanceof AwsError ? REASONS[error.code] : undefined;
      if (!(error instanceof AwsError) || code === undefined) throw error;
      isCancelled = true;
      reasons.push({
        Code: code,
        Message: error.message,
        ...(error.fields.Item !== undefined && { Item: error.fields.Item }),
      });
    }
  }
  if (!isCancelled) return planned;
  const codes = reasons.map((it) => (it as { Code: string }).Code).join(', ');
  throw new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    { CancellationReasons: reasons },
  );
}

/** @throws AwsError when two actions are on one item. */
export function checkDistinct(keys: readonly { readonly table: { space: number }; readonly key: Uint8Array }[]): void {
  // A key that does not fit its table's schema has no bytes; its action says so itself.
  const whole = keys.filter(({ key }) => key.length > 0);
  const distinct = new Set(whole.map(({ table, key }) => `${table.space}/${Buffer.from(key).toString('base64')}`));
  if (distinct.size < whole.length) {
    throw invalid('Transaction request cannot include multiple operations on one item');
  }
}

/** Carries out all of a transaction, in one transaction of SQLite: a crash leaves all of it or nothing. */
export function carryOutTogether(store: Store, plans: readonly Plan[]): void {
  const bytes = plans.reduce((sum, { after, before }) => sum + imageBytes(after ?? before?.item), 0);
  if (bytes > BYTES_MAX) {
    throw invalid(`Collection size limit exceeded: the items of a transaction exceed ${BYTES_MAX} bytes`);
  }
  for (const plan of plans) if (plan.after !== plan.before?.item) carryOut(store, plan);
}
