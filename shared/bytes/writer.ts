/** How a format writes a text: most characters as they are, a few in another way. */
export interface Escape {
  /** By character code below 128: 1 for a character that is written as it is. */
  readonly plain: Uint8Array;
  /** The whole text as the format writes it. Asked only for a text with a character that is not plain. */
  write(text: string): string;
  /** Most bytes that one UTF-16 unit can become. */
  readonly bytesPerCharacterMax: number;
}

/** A text that is written often, as its bytes in words of eight: one store of eight is cheaper than eight of one. */
export interface Run {
  readonly words: Float64Array;
  readonly bytes: number;
}

const WORD_BYTES = 8;
/** Runs are written by two words at a time, and so may write this much behind their end, less one byte. */
const STEP_BYTES = 2 * WORD_BYTES;

/** @returns the run of a text that is already as its format writes it. No UTF-8 text reads as NaN, so words are exact. */
export function runOf(text: string): Run {
  const bytes = Buffer.from(text);
  const words = new Uint8Array(Math.ceil(bytes.length / STEP_BYTES) * STEP_BYTES);
  words.set(bytes);
  return { words: new Float64Array(words.buffer), bytes: bytes.length };
}

/** Characters that are written as they are: those of printable ASCII that `special` does not name. */
export function plainCharacters(special: string): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) =>
    code >= 0x20 && code < 0x7f && !special.includes(String.fromCharCode(code)) ? 1 : 0,
  );
}

/**
 * Writes texts as bytes into memory that is used again for every batch, so that rows and bodies are made without
 * strings, arrays and buffers on the way. Before each record comes {@link reserve}: runs and bytes check no bounds.
 */
export class ByteWriter {
  /** Bytes written since the last {@link clear}. */
  length = 0;
  #bytes: Buffer;
  #view: DataView;
  #besideTexts = 0;

  constructor(capacity = 64 * 1024) {
    this.#bytes = Buffer.alloc(capacity);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for the runs and bytes of one record: all that is written but its texts, which make room themselves. */
  reserve(bytesBesideTexts: number): void {
    this.#besideTexts = bytesBesideTexts + STEP_BYTES;
    if (this.length + this.#besideTexts > this.#bytes.length) this.#grow(this.#besideTexts);
  }

  #grow(count: number): void {
    const grown = Buffer.alloc(Math.max(this.length + count, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.length);
  }

  byte(code: number): void {
    this.#bytes[this.length] = code;
    this.length += 1;
  }

  /** Puts another byte in the place of the one written last. */
  replaceLast(code: number): void {
    this.#bytes[this.length - 1] = code;
  }

  run({ words, bytes }: Run): void {
    const view = this.#view;
    let at = this.length;
    const end = at + bytes;
    for (let index = 0; at < end; index += 2) {
      view.setFloat64(at, words[index] as number, true);
      view.setFloat64(at + WORD_BYTES, words[index + 1] as number, true);
      at += STEP_BYTES;
    }
    this.length += bytes;
  }

  /** A text that is known to be printable ASCII and is written as it is, such as a number. */
  ascii(text: string): void {
    const start = this.length;
    const { length } = text;
    const room = length + this.#besideTexts;
    if (start + room > this.#bytes.length) this.#grow(room);
    const bytes = this.#bytes;
    for (let index = 0; index < length; index += 1) bytes[start + index] = text.charCodeAt(index);
    this.length = start + length;
  }

  text(text: string, format: Escape): void {
    const start = this.length;
    const { plain } = format;
    const { length } = text;
    const room = length * format.bytesPerCharacterMax + this.#besideTexts;
    if (start + room > this.#bytes.length) this.#grow(room);
    const bytes = this.#bytes;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (plain[code] !== 1) {
        this.length += bytes.write(format.write(text), start);
        return;
      }
      bytes[start + index] = code;
    }
    this.length = start + length;
  }

  /** What was written, as it lies in memory: it changes with the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** A copy of what was written from `start` to `end`. */
  copy(start: number, end: number): Buffer {
    return Buffer.from(this.#bytes.subarray(start, end));
  }

  /** Drops what was written before `start`. */
  dropBefore(start: number): void {
    this.#bytes.copyWithin(0, start, this.length);
    this.length -= start;
  }
}
