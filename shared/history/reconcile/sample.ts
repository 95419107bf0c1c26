import { hash } from 'node:crypto';

/** Hexadecimal digits of the number that is drawn for an identifier. */
const DIGITS = 13;

/** How often the sample may grow beyond its size before what is too much is let go. */
const SLACK = 2;

/**
 * A sample of records, every one as likely as any other, out of as many as come: those whose identifiers draw the lowest
 * numbers. It needs to know no count, and holds at most twice its size.
 *
 * @param salt draws the numbers: another salt is another sample.
 */
export class Sample<T extends { readonly id: string }> {
  readonly #size: number;
  readonly #salt: string;
  #drawn: { readonly number: number; readonly record: T }[] = [];
  #below = Number.POSITIVE_INFINITY;

  constructor(size: number, salt: string) {
    this.#size = size;
    this.#salt = salt;
  }

  offer(record: T): void {
    const number = Number.parseInt(hash('md5', `${this.#salt}\n${record.id}`).slice(0, DIGITS), 16);
    if (number >= this.#below) return;
    this.#drawn.push({ number, record });
    if (this.#drawn.length >= this.#size * SLACK) this.#letGo();
  }

  records(): T[] {
    this.#letGo();
    return this.#drawn.map(({ record }) => record);
  }

  #letGo(): void {
    this.#drawn = this.#drawn.sort((one, other) => one.number - other.number).slice(0, this.#size);
    if (this.#drawn.length === this.#size) this.#below = this.#drawn.at(-1)?.number ?? this.#below;
  }
}
