import type { Feature } from './feature-group.ts';

/**
 * Derived features: computed from others by a pure function of the definition. Whoever decodes items (ingest, redrive,
 * backfill) and whoever encodes a new record (predict) comes here, so that both compute the same.
 */

/** A feature's value as a function gets it: a number, a boolean or a text; undefined where it is absent or NULL. */
export type DerivedInput = number | boolean | string | undefined;

/** What a function may give; undefined and null are an absent value. */
export type DerivedResult = number | bigint | boolean | string | null | undefined;

/** How a feature is computed. */
export interface Derivation {
  readonly from: readonly string[];
  readonly compute: (values: never) => unknown;
}

/** A computed value in DynamoDB's form, undefined for none; or what went wrong, without any value. */
export type Derived =
  | { readonly value: { readonly N: string } | { readonly S: string } | { readonly BOOL: boolean } | undefined }
  | { readonly problem: string };

/** The value of a text, by the type of its feature. */
export function derivedInput({ type }: Pick<Feature, 'type'>, text: string | null | undefined): DerivedInput {
  if (text === undefined || text === null) return undefined;
  if (type === 'boolean') return text === '1';
  return type === 'integral' || type === 'fractional' || type === 'timestamp' ? Number(text) : text;
}

/** Computes a feature. @param values of the features it is computed from, by their names. */
export function derive({ compute }: Derivation, values: Readonly<Record<string, DerivedInput>>): Derived {
  let result: unknown;
  try {
    result = compute(values as never);
  } catch (error) {
    // Its message may repeat a value.
    return { problem: `its function threw ${error instanceof Error ? error.name : typeof error}` };
  }
  if (result === undefined || result === null) return { value: undefined };
  if (typeof result === 'bigint' || (typeof result === 'number' && Number.isFinite(result))) {
    return { value: { N: String(result) } };
  }
  if (typeof result === 'string') return { value: { S: result } };
  if (typeof result === 'boolean') return { value: { BOOL: result } };
  const given = typeof result === 'number' ? String(result) : `a value of type ${typeof result}`;
  return { problem: `its function gave ${given}` };
}
