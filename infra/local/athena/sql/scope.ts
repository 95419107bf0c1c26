import { type Place, SqlError } from './sql-error.ts';
import type { Type } from './values/trino-types.ts';

/** A column of a relation, or a parameter of a lambda. */
export interface Field {
  readonly name: string | undefined;
  /** Alias of its relation; a table without one goes by its name, and may be qualified by its database. */
  readonly relation?: string | undefined;
  readonly database?: string | undefined;
  readonly type: Type;
  /** DuckDB SQL of its value. */
  readonly sql: string;
  /** Not part of `*`: `"$path"`. */
  readonly isHidden?: boolean;
  /** Called when a statement reads it. */
  readonly onRead?: () => void;
}

/** The names that an expression may use: those of its query, and outside of them those around the query. */
export class Scope {
  readonly fields: readonly Field[];
  /** How many scopes are around it. */
  readonly depth: number;
  readonly #outer: Scope | undefined;

  constructor(fields: readonly Field[], outer?: Scope) {
    this.fields = fields;
    this.#outer = outer;
    this.depth = outer ? outer.depth + 1 : 0;
  }

  /**
   * The field that a qualified name means, and how many of the name's parts it took: the others are fields of a row.
   *
   * @throws SqlError COLUMN_NOT_FOUND, AMBIGUOUS_NAME
   */
  resolve(parts: readonly string[], place: Place): { field: Field; taken: number } {
    for (let scope: Scope | undefined = this; scope; scope = scope.#outer) {
      const found = scope.#find(parts, place);
      if (!found) continue;
      found.field.onRead?.();
      return found;
    }
    throw new SqlError('COLUMN_NOT_FOUND', `Column '${parts.join('.')}' cannot be resolved`, place);
  }

  /** Fields of `*`, or of a relation's `t.*`. */
  all(relation?: string): Field[] {
    return this.fields.filter((it) => !it.isHidden && (relation === undefined || it.relation === relation));
  }

  #find(parts: readonly string[], place: Place): { field: Field; taken: number } | undefined {
    const [first, second, third] = parts;
    const readings: [number, (field: Field) => boolean][] = [
      [3, (it) => it.database === first && it.relation === second && it.name === third],
      [2, (it) => it.relation === first && it.name === second],
      [1, (it) => it.name === first],
    ];
    for (const [taken, isMeant] of readings) {
      if (parts.length < taken) continue;
      const found = this.fields.filter(isMeant);
      if (found.length > 1) throw new SqlError('AMBIGUOUS_NAME', `Column '${parts.join('.')}' is ambiguous`, place);
      if (found[0]) return { field: found[0], taken };
    }
    return undefined;
  }
}
