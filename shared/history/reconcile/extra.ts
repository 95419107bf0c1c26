import type { Stores } from './stores.ts';

/**
 * Looks records that are online up in the table, page by page.
 *
 * @param after where the list goes on; undefined for its beginning.
 * @param found told which records of a page have no item, and how many were looked up so far; answers whether to go on.
 * @returns how many were looked up, and where the list goes on; undefined at its end.
 */
export async function lookUpOnline(
  { table, online }: Pick<Stores, 'table' | 'online'>,
  after: string | undefined,
  found: (extra: readonly string[], listed: number) => boolean,
): Promise<{ readonly listed: number; readonly next: string | undefined }> {
  let listed = 0;
  let next = after;
  do {
    const page = await online.page(next);
    const items = await table.read(page.ids);
    listed += page.ids.length;
    next = page.next;
    const extra = page.ids.filter((id) => !items.has(id));
    if (!found(extra, listed)) break;
  } while (next !== undefined);
  return { listed, next };
}
