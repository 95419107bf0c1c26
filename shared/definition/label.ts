import type { Label } from './feature-group.ts';

/** The kinds of labels: one of two classes, one of several, or a number. Each has its own models and its own gate. */

export const LABEL_KINDS = ['binary', 'multi-class', 'regression'] as const;
export type LabelKind = (typeof LABEL_KINDS)[number];

/** Classes of a label of two. */
export const BINARY_CLASSES: readonly string[] = ['0', '1'];

/** The one class that all labels of numbers are counted under. */
export const NUMBERS = 'number';

/** What of a label says its kind. */
type Kinded = Pick<Label, 'classes' | 'type'>;

/** The kind of a label. */
export function labelKind({ classes, type }: Kinded): LabelKind {
  if (type !== undefined) return 'regression';
  return classes === undefined ? 'binary' : 'multi-class';
}

/** Classes as every store has them: their numbers from 0, as texts. A label that is a number has none. */
export function classesOf(label: Kinded | undefined): readonly string[] {
  if (label?.type !== undefined) return [];
  return label?.classes?.map((_, number) => String(number)) ?? BINARY_CLASSES;
}

/** The class that the label ledger counts a label under. */
export const countedAs = (label: Kinded | undefined, text: string): string =>
  label?.type === undefined ? text : NUMBERS;

/** What the label ledger counts under. */
export const countedClasses = (label: Kinded | undefined): readonly string[] =>
  label?.type === undefined ? classesOf(label) : [NUMBERS];

/** How each class of several is spelled, as text. */
export const classNames = ({ classes = [] }: Pick<Label, 'classes'>): string[] => classes.map(String);
