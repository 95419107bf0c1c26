import { describe, expect, it, test } from 'vitest';
import { type Document, documents, readDocument, sentences, withoutCode, words } from '../../given/documents.ts';

/** The rules of prose, as docs/internals/style.md states them, as far as a simple splitter can tell. */

const WORDS_PER_SENTENCE_MAX = 25;
const WORDS_PER_SENTENCE_MEAN_MAX = 18;
const CHARACTERS_PER_LINE_MAX = 120;
const LINES_OF_README_MAX = 150;
const LINES_OF_CONTRIBUTING_MAX = 100;
const CHANGELOG_HEADINGS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

/** British spellings that are likely here, as beginnings of words, and what to write. */
const AMERICAN: readonly (readonly [RegExp, string])[] = [
  [/\b(un)?label(led|ling)\b/i, 'labeled, labeling'],
  [/\blearnt\b/i, 'learned'],
  [/\b(behaviour|colour|favour|honour|neighbour)/i, '-or'],
  [/\b(cancell|modell|travell)(ed|ing)\b/i, 'one l'],
  [
    /\b(licence|artefact|catalogue|programme|judgement|centre)s?\b/i,
    'license, artifact, catalog, program, judgment, center',
  ],
  [
    /\b(organi|reali|recogni|seriali|optimi|standardi|summari|authori|initiali|minimi|normali|generali)s(e|ed|es|ing|ation)\b/i,
    '-ize',
  ],
];

const all = documents();

/** What `find` finds in each document, with the document's path before it. */
const found = (find: (document: Document) => readonly string[]) =>
  all.flatMap((document) => find(document).map((it) => `${document.path}: ${it}`));

test(`no sentence has more than ${WORDS_PER_SENTENCE_MAX} words: say one thing`, () => {
  expect(found((it) => sentences(it).filter((sentence) => words(sentence).length > WORDS_PER_SENTENCE_MAX))).toEqual(
    [],
  );
});

test('no sentence begins with "What" or "Whatever", unless it asks: name the actor', () => {
  expect(found((it) => sentences(it).filter((sentence) => /^(What|Whatever) .*[^?]$/.test(sentence)))).toEqual([]);
});

test('words are spelled as Americans spell them', () => {
  const british = ({ text }: Document) => {
    const prose = withoutCode(text).replace(/`[^`]*`/g, '');
    return AMERICAN.flatMap(([pattern, instead]) =>
      (pattern.exec(prose) ?? []).slice(0, 1).map((it) => `${it}: ${instead}`),
    );
  };
  expect(found(british)).toEqual([]);
});

test(`no line of prose has more than ${CHARACTERS_PER_LINE_MAX} characters: wrap it`, () => {
  const lines = ({ text }: Document) =>
    withoutCode(text)
      .split('\n')
      .filter((line) => !line.startsWith('|'));
  expect(found((it) => lines(it).filter((line) => line.length > CHARACTERS_PER_LINE_MAX))).toEqual([]);
});

test(`a sentence of README and docs has ${WORDS_PER_SENTENCE_MEAN_MAX} words at most on average`, () => {
  const lengths = all
    .filter(({ path }) => path === 'README.md' || path.startsWith('docs/'))
    .flatMap((document) => sentences(document).map((it) => words(it).length));
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  expect(mean).toBeLessThanOrEqual(WORDS_PER_SENTENCE_MEAN_MAX);
});

test.each([
  ['README.md', LINES_OF_README_MAX],
  ['CONTRIBUTING.md', LINES_OF_CONTRIBUTING_MAX],
])('%s has at most %i lines: it is a door', (path, linesMax) => {
  expect(readDocument(path).text.trimEnd().split('\n').length).toBeLessThanOrEqual(linesMax);
});

test('an entry of the changelog is one line, under one of the usual headings', () => {
  const lines = readDocument('CHANGELOG.md').text.split('\n');
  const versions = lines.filter((line) => line.startsWith('## '));
  const headings = lines.filter((line) => line.startsWith('### ')).map((line) => line.slice(4));
  expect(versions[0]).toBe('## Unreleased');
  expect(versions.slice(1).filter((line) => !/^## \d+\.\d+\.\d+ - \d{4}-\d\d-\d\d$/.test(line))).toEqual([]);
  expect(headings.filter((it) => !CHANGELOG_HEADINGS.includes(it))).toEqual([]);
  const entries = lines.slice(lines.indexOf(versions[0] ?? '')).filter((line) => line !== '');
  expect(entries.filter((line) => !/^(#|- )/.test(line))).toEqual([]);
});

test('figures of measurements stand in docs/internals/benchmarks.md only', () => {
  const measured = /\b\d[\d,.]*( to \d[\d,.]*)? ?(µs|ms of CPU|kB of heap|records a second of CPU)/;
  const elsewhere = all.filter(({ path, text }) => path !== 'docs/internals/benchmarks.md' && measured.test(text));
  expect(elsewhere.map(({ path }) => path)).toEqual([]);
});

describe('the splitter', () => {
  const split = (text: string) => sentences({ path: '', text });

  it('ends a sentence at its mark, and at the end of its paragraph or list item', () => {
    expect(split('One is one. Two is\ntwo! Three\n\n- four\n- five is `a. b` of it\n')).toEqual([
      'One is one.',
      'Two is two!',
      'Three',
      'four',
      'five is code of it',
    ]);
  });

  it('passes over code, tables and headings', () => {
    expect(split('# A\n\n```sh\nnpm ci\n```\n\n| a | b |\n|---|---|\n| c | d |\n\nText.\n')).toEqual(['Text.']);
  });
});
