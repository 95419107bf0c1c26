import type { TableExport } from './manifest.ts';

/**
 * Puts exports in the order in which they are to be read, and checks that together they are a table's history without a
 * gap: a full export, and incremental ones of which each begins where the one before ends, to the second.
 *
 * @param table name of the table that the definition describes.
 * @throws Error with one sentence that names the exports and what is missing or too much.
 */
export function chainOf(exports: readonly TableExport[], table: string): TableExport[] {
  for (const it of exports) {
    if (it.table === table) continue;
    throw new Error(`${it.name} is of the table ${it.table}; the definition describes ${table}.`);
  }
  const [full, another] = exports.filter(({ kind }) => kind === 'full');
  if (!full) throw new Error('No full export is given: incremental ones only say what changed after one.');
  if (another) throw new Error(`${full.name} and ${another.name} are both full exports: give one of them.`);
  const windows = exports.filter(({ kind }) => kind === 'incremental').sort((a, b) => startOf(a) - startOf(b));
  const chain = [full];
  for (const window of windows) {
    const before = chain.at(-1) as TableExport;
    if (window.tableId !== full.tableId) {
      throw new Error(
        `${window.name} is of another table of the name ${table} than ${full.name}: their tableId differ.`,
      );
    }
    const [endsAt, beginsAt] = [second(before.asOfMs), second(startOf(window))];
    if (beginsAt > endsAt) {
      throw new Error(
        `Nothing is given of ${text(endsAt)} to ${text(beginsAt)}, between ${before.name} and ${window.name}: export that window too.`,
      );
    }
    if (beginsAt < endsAt) {
      throw new Error(
        `${window.name} begins at ${text(beginsAt)}, before ${before.name} ends at ${text(endsAt)}: give exports of which each begins where one ends.`,
      );
    }
    chain.push(window);
  }
  return chain;
}

const startOf = ({ fromMs, asOfMs }: TableExport): number => fromMs ?? asOfMs;

const second = (ms: number): number => Math.floor(ms / 1_000);

const text = (epochSecond: number): string => new Date(epochSecond * 1_000).toISOString().replace('.000', '');
