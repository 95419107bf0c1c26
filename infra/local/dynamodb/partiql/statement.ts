import type { Expression, Path } from '../engine/dynalite.ts';
import type { AttributeValue, Item } from '../engine/image.ts';

/** What a statement of PartiQL says, with its parameters filled in. */
export type Statement = Select | Insert | Update | Delete | Exists;

export interface Select {
  readonly kind: 'select';
  readonly table: string;
  readonly index: string | undefined;
  /** Undefined: every attribute. */
  readonly columns: readonly Path[] | undefined;
  readonly where: Expression | undefined;
  /** ORDER BY of the sort key. */
  readonly isDescending: boolean;
}
export interface Insert {
  readonly kind: 'insert';
  readonly table: string;
  readonly item: Item;
}
export interface Assignment {
  readonly path: Path;
  /** A value, a path, or an operation on them, in the form of dynalite's update expressions. */
  readonly value: Operand;
}
/** A sum, a difference or a function. */
export interface Operation {
  readonly type: string;
  readonly name?: string;
  readonly args: readonly Operand[];
}
export type Operand = AttributeValue | Path | Operation;
export interface Update {
  readonly kind: 'update';
  readonly table: string;
  readonly assignments: readonly Assignment[];
  readonly removed: readonly Path[];
  readonly where: Expression | undefined;
  readonly returning: string | undefined;
}
export interface Delete {
  readonly kind: 'delete';
  readonly table: string;
  readonly where: Expression | undefined;
  readonly returning: string | undefined;
}
/** A condition of a transaction: that an item is there which fits. */
export interface Exists {
  readonly kind: 'exists';
  readonly table: string;
  readonly where: Expression | undefined;
}
