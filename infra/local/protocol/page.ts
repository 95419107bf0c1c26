/**
 * One page of a list, and the token of the next, which is the position that it begins at.
 *
 * @param size most entries of the page.
 * @param token what the page before named as next; undefined for the first.
 */
export function pageOf<Item>(all: readonly Item[], size: number, token: string | undefined) {
  const start = Number(token ?? 0);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : undefined };
}
