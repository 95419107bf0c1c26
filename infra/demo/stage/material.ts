import type { Customer } from '../customers/customers.ts';
import type { Item } from '../customers/item.ts';

/** Correlations of features with the label, by the names of their query's columns; null where one side is constant. */
export type Correlations = Readonly<Record<string, number | null>>;

/** Numbers of an item whose correlations are asked for, null where it has none, and its label last. */
export type CorrelationRow = readonly (number | null)[];

/** What one table's records are like, so that the acts can play with those of any table. */
export interface Material {
  /** What a record is called, in the summary. */
  readonly plural: string;
  /** The key of a record's item, by its identifier. */
  keyOf(id: string): Item;
  /** The item as the application first writes it: no label yet. */
  itemOf(record: Customer): Item;
  /** The attributes that tell a label, or the features, of an item that is there: values, and the event time. */
  withLabel(record: Customer, label: '0' | '1'): Item;
  /** What changes of a record, twice within a second; each really changes its item. */
  changesOf(record: Customer): readonly Item[];
  /** An item that no definition can take, made from a record's, with its identifier; undefined where there can be none. */
  badRecord(like: Customer): { readonly id: string; readonly item: Item } | undefined;
  /** A record that is not in the table, as a prediction request has its features. */
  readonly fresh: object;
  readonly correlations: {
    /** Query whose one row is the correlations. Undefined: nothing of the definition correlates. */
    readonly sql: string | undefined;
    /** What an item has to do with it; undefined: nothing, as it has no label. */
    rowOf(item: Item): CorrelationRow | undefined;
    /** The same from items, by another way. */
    of(rows: readonly CorrelationRow[]): Correlations;
  };
  /** The record identifier of an item, or of its key. */
  idOf(item: Item): string;
  /** What the online store is to hold of an item, by feature; undefined when it is to hold nothing. */
  recordOf(item: Item): ReadonlyMap<string, string> | undefined;
}
