import { fenceOfPlaces } from '../../changes/event-order.ts';
import type { StateTable } from '../table.ts';
import type { Fences } from './fences.ts';
import { fenceItems } from './items.ts';
import { fencePages } from './pages.ts';

/**
 * Forms that fences are written and read in: `items`, one per record, as version 0.1.0 knows them; `pages`, many in one
 * item; or `both`, which a version has to do that shares shards with one of either kind.
 */
export type FenceForm = 'items' | 'both' | 'pages';

/**
 * Fences in a form.
 *
 * @param keepForever every record keeps one (see `fencesEveryRecord`). No second tells where it lies, so it is an item,
 *   whatever the form.
 */
export function fencesIn(form: FenceForm, table: StateTable, keepForever: boolean): Fences {
  if (keepForever) return fenceItems(table, true);
  const items = fenceItems(table, false);
  const pages = fencePages(table);
  if (form === 'items') return items;
  return form === 'pages' ? pages : inBoth(items, pages);
}

/** What either form knows of a record is known. */
function inBoth(items: Fences, pages: Fences): Fences {
  return {
    async read(sought, pace) {
      const [found, more] = await Promise.all([items.read(sought, pace), pages.read(sought, pace)]);
      for (const [id, fence] of more) {
        const known = found.get(id);
        const places = [fence, ...fence.earlier, ...(known ? [known, ...known.earlier] : [])];
        found.set(id, fenceOfPlaces(places));
      }
      return found;
    },
    async write(fences, found, pace) {
      const failures = await Promise.all([items.write(fences, found, pace), pages.write(fences, found, pace)]);
      return failures.flat();
    },
  };
}
