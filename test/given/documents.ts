import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's documents, as the tests of test/unit/docs read them. */
export interface Document {
  /** From the project's folder. */
  readonly path: string;
  readonly text: string;
}

export interface CodeBlock {
  /** File whose content the block shows: the second word behind the fence. */
  readonly file: string | undefined;
  readonly code: string;
}

const FENCED = /^```(.*)\n([\s\S]*?)^```$/gm;

/** Every document: those of the project's folder, and all of docs/. */
export function documents(): Document[] {
  const root = readdirSync('.').filter((name) => name.endsWith('.md'));
  const docs = readdirSync('docs', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name));
  return [...root, ...docs].sort().map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(path, 'utf8') };
}

export function codeBlocks({ text }: Document): CodeBlock[] {
  return [...text.matchAll(FENCED)].map(([, info = '', code = '']) => ({ file: info.split(' ')[1], code }));
}

export const withoutCode = (text: string): string => text.replace(FENCED, '');

/** Text of a section under its heading, of whatever level, up to the next heading of any. */
export function section({ text }: Document, heading: string): string {
  const lines = withoutCode(text).split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) return '';
  const end = lines.findIndex((line, index) => index > start && /^#+ /.test(line));
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
}

/** Rows of all tables, header and rule left out, as cells without their outer blanks. `\|` is no end of a cell. */
export function tableRows(text: string): string[][] {
  const lines = withoutCode(text).split('\n');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

const isRule = (line: string): boolean => /^\|[ :|-]+\|$/.test(line);

/** Text of an inline code span that fills a cell, without its backticks; undefined for any other cell. */
export const codeOf = (cell: string | undefined): string | undefined => /^`([^`]*)`$/.exec(cell ?? '')?.[1];

/** Addresses of headings, as GitHub makes them. */
export function anchors({ text }: Document): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = withoutMarkup(heading)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let copy = 1; found.has(anchor); copy += 1) anchor = `${slug}-${copy}`;
    found.add(anchor);
  }
  return found;
}

/** Targets of links and images, without those to other hosts. */
export function relativeLinks({ text }: Document): string[] {
  const prose = withoutCode(text).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((it) => !/^\w+:/.test(it));
}

function withoutMarkup(text: string): string {
  return text.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[*`]/g, '');
}

/**
 * Sentences of the prose: paragraphs and list items, without code, tables, headings and quotes of output. Code within a
 * sentence counts as one word. A sentence ends at a full stop, a question or exclamation mark, or with its paragraph.
 */
export function sentences({ text }: Document): string[] {
  const prose = withoutCode(text)
    .replace(/<!--[\s\S]*?-->/g, '')
    .split('\n')
    .map((line) => (/^(\||#|>|---|===)/.test(line) ? '' : line.replace(/^\s*([-*]|\d+\.) /, '\n$1 ')))
    .join('\n');
  return prose.split(/\n\s*\n/).flatMap((paragraph) =>
    withoutMarkup(paragraph.replace(/`[^`]*`/g, 'code'))
      .replace(/\s+/g, ' ')
      .replace(/^ ?([-*]|\d+\.) /, '')
      .split(/(?<=[.!?]["”)]?) (?=\S)/)
      .map((sentence) => sentence.trim())
      .filter((sentence) => /\p{L}/u.test(sentence)),
  );
}

export const words = (sentence: string): string[] => sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word));
