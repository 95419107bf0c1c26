import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../../protocol/aws-error.ts';
import type { StreamLog } from '../streams/stream-log.ts';
import { type Item, imageBytes } from './image.ts';
import { keyBytes, layoutOf } from './keys.ts';
import { type Index, projectedNames, type Table, type TableDescription, type TableSettings } from './table.ts';

/** An item as it is kept: its text is also what a stream record shows of it. */
export interface StoredItem {
  readonly id: number;
  readonly text: string;
  readonly item: Item;
  readonly bytes: number;
}

/** Where a read begins and ends, in bytes of keys. */
export interface KeyRange {
  /** Included. */
  readonly from: Uint8Array;
  /** Excluded. */
  readonly to: Uint8Array;
}

interface Size {
  count: number;
  bytes: number;
}

/** Greater than every key: the hash at a key's beginning has three bytes. */
export const EVERYTHING: KeyRange = { from: new Uint8Array(0), to: new Uint8Array(16).fill(0xff) };

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tables (
    name TEXT PRIMARY KEY, space INTEGER, description TEXT, indexes TEXT, settings TEXT);
  CREATE TABLE IF NOT EXISTS spaces (space INTEGER PRIMARY KEY AUTOINCREMENT, items INTEGER, bytes INTEGER);
  CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, space INTEGER, key BLOB, item TEXT, bytes INTEGER);
  CREATE UNIQUE INDEX IF NOT EXISTS items_by_key ON items (space, key);
  CREATE TABLE IF NOT EXISTS entries (
    space INTEGER, key BLOB, item INTEGER, PRIMARY KEY (space, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS transactions (token TEXT PRIMARY KEY, request TEXT, created_millis INTEGER);`;

/**
 * Tables and items in SQLite. An item, its entries in indexes and its record on the stream are written together; whoever
 * calls commits. Entries of an index only point at their items, so what an index shows is never out of date.
 */
export class Store {
  readonly db: DatabaseSync;
  readonly streams: StreamLog;
  readonly #tables = new Map<string, Table>();
  readonly #sizes = new Map<number, Size>();
  readonly #resized = new Set<number>();
  readonly #statements;

  constructor(db: DatabaseSync, streams: StreamLog) {
    this.db = db;
    this.streams = streams;
    db.exec(SCHEMA);
    this.#statements = {
      item: db.prepare('SELECT id, item, bytes FROM items WHERE space = ? AND key = ?'),
      insert: db.prepare('INSERT INTO items (space, key, item, bytes) VALUES (?, ?, ?, ?)'),
      update: db.prepare('UPDATE items SET item = ?, bytes = ? WHERE id = ?'),
      delete: db.prepare('DELETE FROM items WHERE id = ?'),
      addEntry: db.prepare('INSERT INTO entries VALUES (?, ?, ?)'),
      dropEntry: db.prepare('DELETE FROM entries WHERE space = ? AND key = ?'),
      resize: db.prepare('UPDATE spaces SET items = ?, bytes = ? WHERE space = ?'),
      save: db.prepare('INSERT OR REPLACE INTO tables VALUES (?, ?, ?, ?, ?)'),
    };
    this.reload();
  }

  /** Forgets what is remembered beside the database, as after a rollback. */
  reload(): void {
    this.streams.reload();
    this.#tables.clear();
    this.#sizes.clear();
    this.#resized.clear();
    for (const row of this.db.prepare('SELECT * FROM tables').all()) {
      const description = JSON.parse(String(row.description)) as TableDescription;
      const spaces = JSON.parse(String(row.indexes)) as Record<string, number>;
      this.#remember(Number(row.space), description, spaces, JSON.parse(String(row.settings)));
    }
    for (const row of this.db.prepare('SELECT * FROM spaces').all()) {
      this.#sizes.set(Number(row.space), { count: Number(row.items), bytes: Number(row.bytes) });
    }
  }

  /** Writes down what was only counted so far. Called before a commit. */
  flush(): void {
    for (const space of this.#resized) {
      const { count, bytes } = this.size(space);
      this.#statements.resize.run(count, bytes, space);
    }
    this.#resized.clear();
  }

  names(): string[] {
    return [...this.#tables.keys()].sort();
  }

  find(name: string): Table | undefined {
    return this.#tables.get(name.startsWith('arn:') ? name.replace(/^.*:table\//, '') : name);
  }

  /**
   * @param name a table's name or ARN.
   * @throws AwsError ResourceNotFoundException, with the words of data operations.
   */
  table(name: string): Table {
    const table = this.find(name);
    if (!table) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }

  tables(): Iterable<Table> {
    return this.#tables.values();
  }

  size(space: number): Readonly<Size> {
    return this.#sizes.get(space) ?? { count: 0, bytes: 0 };
  }

  /** Makes a table, or changes one: indexes that are new are filled from the items, those that are gone are emptied. */
  save(description: TableDescription, settings: TableSettings): Table {
    const current = this.#tables.get(description.TableName);
    const space = current?.space ?? this.#newSpace();
    const known = new Map(current?.indexes.map((it) => [it.description.IndexName, it.space]));
    const spaces: Record<string, number> = {};
    for (const index of indexesOf(description)) {
      spaces[index.IndexName] = known.get(index.IndexName) ?? this.#newSpace();
    }
    this.#statements.save.run(
      description.TableName,
      space,
      JSON.stringify(description),
      JSON.stringify(spaces),
      JSON.stringify(settings),
    );
    const table = this.#remember(space, description, spaces, settings);
    for (const [name, of] of known) {
      if (spaces[name] === undefined) this.#empty('entries', of);
    }
    const added = table.indexes.filter((it) => !known.has(it.description.IndexName));
    if (current && added.length > 0) {
      for (const { key, id, item } of this.items(table, EVERYTHING)) {
        for (const index of added) this.#changeEntry(table, index, key, id, undefined, item);
      }
    }
    return table;
  }

  drop(table: Table): void {
    this.#empty('items', table.space);
    for (const index of table.indexes) this.#empty('entries', index.space);
    this.db.prepare('DELETE FROM tables WHERE name = ?').run(table.description.TableName);
    this.#tables.delete(table.description.TableName);
  }

  get(table: Table, key: Uint8Array): StoredItem | undefined {
    const row = this.#statements.item.get(table.space, key);
    if (!row) return undefined;
    const text = String(row.item);
    return { id: Number(row.id), text, item: JSON.parse(text), bytes: Number(row.bytes) };
  }

  /** Puts, changes or deletes an item, its index entries, and its record on the stream. */
  write(
    table: Table,
    key: Uint8Array,
    before: StoredItem | undefined,
    after: Pick<StoredItem, 'item' | 'bytes'> | undefined,
    byTimeToLive = false,
  ): void {
    if (!before && !after) return;
    const text = after && JSON.stringify(after.item);
    const bytes = after?.bytes ?? 0;
    let id = before?.id ?? 0;
    if (text === undefined) this.#statements.delete.run(id);
    else if (before) this.#statements.update.run(text, bytes, id);
    else id = Number(this.#statements.insert.run(table.space, key, text, bytes).lastInsertRowid);
    this.#resize(table.space, Number(after !== undefined) - Number(before !== undefined), bytes - (before?.bytes ?? 0));
    for (const index of table.indexes) this.#changeEntry(table, index, key, id, before?.item, after?.item);
    const image = after && text !== undefined ? { ...after, text } : undefined;
    this.streams.record(table.description.TableName, before, image, byTimeToLive);
  }

  /** Items of a table with keys in a range, in the order of their keys. */
  *items(table: Table, range: KeyRange, isReverse = false): Generator<{ key: Uint8Array; id: number; item: Item }> {
    const order = isReverse ? 'DESC' : 'ASC';
    const rows = this.db
      .prepare(`SELECT id, key, item FROM items WHERE space = ? AND key >= ? AND key < ? ORDER BY key ${order}`)
      .iterate(table.space, range.from, range.to);
    for (const { key, id, item } of rows) {
      yield { key: key as Uint8Array, id: Number(id), item: JSON.parse(String(item)) };
    }
  }

  /** Items an index has in a range of its keys, whole. */
  *entries(index: Index, range: KeyRange, isReverse = false): Generator<{ key: Uint8Array; item: Item }> {
    const order = isReverse ? 'DESC' : 'ASC';
    const rows = this.db
      .prepare(
        `SELECT entries.key AS key, items.item AS item FROM entries JOIN items ON items.id = entries.item
         WHERE entries.space = ? AND entries.key >= ? AND entries.key < ? ORDER BY entries.key ${order}`,
      )
      .iterate(index.space, range.from, range.to);
    for (const { key, item } of rows) yield { key: key as Uint8Array, item: JSON.parse(String(item)) };
  }

  /** An entry's key is the index's own, made unique by the item's; one that stays the same need not be written. */
  #changeEntry(table: Table, index: Index, key: Uint8Array, id: number, before?: Item, after?: Item): void {
    const old = before && keyBytes(index.layout, before);
    const now = after && keyBytes(index.layout, after);
    const isSame = old && now ? old.equals(now) : old === now;
    if (old && !isSame) this.#statements.dropEntry.run(index.space, Buffer.concat([old, key]));
    if (now && !isSame) this.#statements.addEntry.run(index.space, Buffer.concat([now, key]), id);
    const bytes = (item: Item | undefined) => imageBytes(item && projected(table, index, item));
    if (old || now) {
      const change = (now ? bytes(after) : 0) - (old ? bytes(before) : 0);
      this.#resize(index.space, Number(now !== undefined) - Number(old !== undefined), change);
    }
  }

  #resize(space: number, count: number, bytes: number): void {
    const size = this.size(space);
    this.#sizes.set(space, { count: size.count + count, bytes: size.bytes + bytes });
    this.#resized.add(space);
  }

  #newSpace(): number {
    return Number(this.db.prepare('INSERT INTO spaces (items, bytes) VALUES (0, 0)').run().lastInsertRowid);
  }

  #empty(kind: 'items' | 'entries', space: number): void {
    this.db.prepare(`DELETE FROM ${kind} WHERE space = ?`).run(space);
    this.db.prepare('DELETE FROM spaces WHERE space = ?').run(space);
    this.#sizes.delete(space);
    this.#resized.delete(space);
  }

  #remember(
    space: number,
    description: TableDescription,
    spaces: Record<string, number>,
    settings: TableSettings,
  ): Table {
    const { AttributeDefinitions: definitions } = description;
    const globals = new Set(description.GlobalSecondaryIndexes);
    const table: Table = {
      space,
      description,
      settings,
      layout: layoutOf(description.KeySchema, definitions),
      indexes: indexesOf(description).map((it) => ({
        space: spaces[it.IndexName] ?? 0,
        description: it,
        isGlobal: globals.has(it),
        layout: layoutOf(it.KeySchema, definitions),
      })),
    };
    this.#tables.set(description.TableName, table);
    return table;
  }
}

/** What an index shows of an item. */
export function projected(table: Table, index: Index, item: Item): Item {
  const names = projectedNames(table, index);
  if (!names) return item;
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}

function indexesOf({ GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] }: TableDescription) {
  return [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes];
}
