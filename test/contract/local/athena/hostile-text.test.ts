import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/**
 * Text of a client's that would freeze all services, if a reader took time in proportion to the square of its length or
 * worse: 1 MB would take hours. The bound is generous, as the machine may be slow; what is linear takes a second or two.
 */
const LIMIT_MS = 120_000;
const TEST_MS = 2 * LIMIT_MS;

const local = (path: string) => new URL(`../../../../infra/local/athena/${path}`, import.meta.url).href;
const program = (body: string) => `
  import { GlueCatalog } from ${JSON.stringify(local('catalog.ts'))};
  import { readRows, fieldValue } from ${JSON.stringify(local('lazy-simple-serde.ts'))};
  import { trinoGrammar } from ${JSON.stringify(local('sql/grammar.ts'))};
  import { DATE_UDFS } from ${JSON.stringify(local('sql/udf/dates.ts'))};
  import { JSON_UDFS } from ${JSON.stringify(local('sql/udf/documents.ts'))};
  import { NUMBER_UDFS } from ${JSON.stringify(local('sql/udf/numbers.ts'))};
  import { TEXT_UDFS } from ${JSON.stringify(local('sql/udf/texts.ts'))};
  import { readStatement } from ${JSON.stringify(local('statements/statements.ts'))};
  const parse = await trinoGrammar();
  const catalog = new GlueCatalog();
  const read = (sql) => { try { readStatement(sql, { database: 'default', catalog, parse }); } catch (error) { if (!error.code) throw error; } };
  const quietly = (run) => { try { run(); } catch (error) { if (!error.code) throw error; } };
  const times = (text, size = 1_000_000) => text.repeat(size / text.length);
  ${body}
  console.log('done');`;

async function finishes(body: string): Promise<void> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program(body)],
    { timeout: LIMIT_MS, cwd: fileURLToPath(new URL('../../../..', import.meta.url)) },
  );
  expect(stdout.trim()).toBe('done');
}

test(
  'statements that nobody could mean are read in linear time',
  () =>
    finishes(`
      for (const text of ['a /* ', "a ' ", '" a', ' ', 'a', '(', '[', '((1)', "''", '/**/ ', '-- x\\n', '\`a ']) read('SELECT ' + times(text));
      read("UNLOAD (SELECT 1) TO 's3://a/b/' WITH (" + times("a = ARRAY['x'],") + "b = 'c')");
      read('SHOW TABLES ' + times('a*') + "'");
      read("SHOW TABLES '" + times('a*') + "b'");
      read('DROP TABLE ' + times('a.'));
      read('SELECT CAST(1 AS timestamp' + times(' ') + '(x))');
      for (const text of ['CASE WHEN ', 'x -> ', 'NOT ', '- ', '1+', '[1]', 'a.']) read('SELECT ' + times(text, 100_000) + '1');
    `),
  TEST_MS,
);

test(
  'rows and values that no program would write are read in linear time',
  () =>
    finishes(`
      async function* chunks() { for (let n = 0; n < 1_000; n++) yield Buffer.from(times('\\\\,x', 30_000)); }
      for await (const _ of readRows(chunks(), { fieldDelimiter: ',', escapeCharacter: '\\\\', nullText: '' }));
      for (const type of ['double', 'bigint', 'boolean']) fieldValue(times('1') + '!', type);
      const udfs = Object.entries({ ...DATE_UDFS, ...JSON_UDFS, ...NUMBER_UDFS, ...TEXT_UDFS });
      for (const [signature, udf] of udfs.filter(([it]) => it.includes('(varchar') && !/levenshtein|decimal/.test(it))) {
        const types = signature.slice(signature.indexOf('(') + 1, signature.indexOf(')')).split(', ');
        for (const text of ['1', '%d', '[', '$.a', '&=']) {
          const args = (other) => types.map((type, index) => (type === 'varchar' ? (index === 0 ? times(text) : other) : type === 'bigint' ? 16n : 2));
          const others = types.lastIndexOf('varchar') > 0 ? [times('%d'), '$' + times(text)] : [''];
          for (const other of others) quietly(() => udf(...args(other)));
        }
      }
      catalog.inputs('default', times('.*', 10_000) + 'x');
    `),
  TEST_MS,
);
