import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { anchors, type Document, documents, readDocument, relativeLinks } from '../../given/documents.ts';

const all = documents();

/** A reader makes it, by the tutorial. */
const NOT_THERE_YET = new Set(['shared/feature-groups/orders.ts']);

test('every relative link leads to a file, and to a heading of it, that is there', () => {
  const links = all.flatMap((document) => relativeLinks(document).map((target) => [document, target] as const));
  expect(links.length).toBeGreaterThan(0);
  expect(links.flatMap(([document, target]) => problemOf(document, target) ?? [])).toEqual([]);
});

/** Pages that name files of former versions. */
const HISTORIES = ['CHANGELOG.md', 'docs/operating/upgrade.md'];

test('every file of the project that a page names is there', () => {
  const named = all
    .filter(({ path }) => !HISTORIES.includes(path))
    .flatMap(({ path, text }) =>
      [
        ...text.matchAll(/(?<![\w./-])(?:functions|shared|infra|test|docs)\/[\w./-]+\.(?:ts|cjs|json|yml|sh|md)\b/g),
      ].map(([file]) => ({ path, file })),
    );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter(({ file }) => !existsSync(file) && !NOT_THERE_YET.has(file))).toEqual([]);
});

test('every page of docs/ is linked from docs/README.md, or from the index of its folder', () => {
  const linked = new Set(all.flatMap((document) => relativeLinks(document).map((target) => fileOf(document, target))));
  const pages = all.map(({ path }) => path).filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
  expect(pages.filter((path) => !linked.has(path))).toEqual([]);
});

function problemOf(document: Document, target: string): string | undefined {
  const file = fileOf(document, target);
  if (!existsSync(file)) return `${document.path}: ${target}: there is no ${file}`;
  const [, anchor] = target.split('#');
  if (anchor === undefined || anchors(readDocument(file)).has(anchor)) return undefined;
  return `${document.path}: ${target}: ${file} has no such heading`;
}

function fileOf({ path }: Document, target: string): string {
  const [file = ''] = target.split('#');
  return file === '' ? path : normalize(join(dirname(path), file));
}
