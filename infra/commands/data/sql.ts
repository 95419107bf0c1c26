import { type Column, queryRows, type Rows, type Value } from '../../insight/query.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { note } from '../../terminal/note.ts';
import { definitionOption, jsonFlag, regionOption, stageOption, wholeNumber } from '../../terminal/options.ts';
import { argumentOrInput } from '../../terminal/standard-input.ts';
import { styleOf } from '../../terminal/style.ts';
import { tableOf } from '../../terminal/table.ts';
import { EXAMPLE, STAGE } from '../target.ts';
import { withSources } from './sources.ts';

const ROWS = 1_000;
const ROWS_MAX = 1_000_000;

export const command = newCommand('sql', "Asks Athena a question in the stack's workgroup, and prints the rows.")
  .argument('<statement>', 'one statement of Athena SQL, in quotes; "-" reads it from the standard input')
  .option('--rows <N>', 'most rows to print', wholeNumber('rows', 1, ROWS_MAX), ROWS)
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting((statement, { rows, json, ...options }) =>
      withSources(options, async (sources, signal) => {
        const sql = await argumentOrInput(statement);
        const found = await queryRows(sources, sql, { rowsMax: rows, signal });
        console.log(json ? jsonOf(found) : tableOf(namesOf(found), found.rows, styleOf(process.stdout)));
        note(`${counted(found)}, ${found.millis} ms, ${found.scannedBytes} bytes read`);
        return 0;
      }),
    ),
  );

const namesOf = ({ columns }: Rows): string[] => columns.map(({ name }) => name);

const counted = ({ rows, more, outputLocation }: Rows): string =>
  `${rows.length} row${rows.length === 1 ? '' : 's'}${more ? `, and more: give a greater --rows, or read ${outputLocation}` : ''}`;

function jsonOf({ columns, rows, ...answered }: Rows): string {
  const values = rows.map((row) => columns.map((column, index) => jsonValue(column, row[index] ?? null)));
  return JSON.stringify({ columns, rows: values, ...answered }, undefined, 2);
}

/** A number or a truth where JSON holds it exactly; a greater integer, a decimal and anything else stays text. */
function jsonValue({ type }: Column, value: Value): Value | number | boolean {
  if (value === null) return null;
  if (type === 'boolean') return value === 'true';
  if (!/^(tinyint|smallint|integer|bigint|float|double)$/.test(type)) return value;
  const number = Number(value);
  const isExact = type === 'double' || type === 'float' ? Number.isFinite(number) : Number.isSafeInteger(number);
  return isExact ? number : value;
}

if (import.meta.main) await runCommand(command);
