import { Option } from '@commander-js/extra-typings';
import { type Contents, columnNames, expectWritable, FORMAT_NAMES, writeDataFile } from '../../insight/data-file.ts';
import { secondOf } from '../../insight/moment.ts';
import { columnsOfQuery, runQuery } from '../../insight/query.ts';
import { recordColumns, recordsSql } from '../../insight/records.ts';
import type { Sources } from '../../insight/sources.ts';
import { findTrainingSet, NEWEST } from '../../insight/training-sets.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption } from '../../terminal/options.ts';
import { EXAMPLE, STAGE } from '../target.ts';
import { withSources } from './sources.ts';

export const command = newCommand(
  'export',
  'Writes all records, or a training set, to a file with names: the whole of it, or nothing.',
)
  .option('--as-of <TIME>', 'what the change log knew at the end of a second, such as 2026-11-26T12:00:00Z')
  .option('--labels', 'only records that have a label')
  .option('--training-set <MODEL>', `in place of records, the rows that a model was trained on; ${NEWEST}: the newest`)
  .addOption(new Option('--format <FORMAT>', 'format of the file').choices(FORMAT_NAMES).default('csv' as const))
  .requiredOption('--out <FILE>', 'file to write; one that is there is replaced')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(async ({ asOf, labels = false, trainingSet, format, out, json, ...options }) => {
      const second = asOf === undefined ? undefined : secondOf(asOf);
      if (trainingSet !== undefined && (labels || second !== undefined)) {
        throw new Error('--training-set is what it was trained on: leave --as-of and --labels out.');
      }
      await expectWritable(out);
      return withSources(options, async (sources, signal) => {
        const contents =
          trainingSet === undefined
            ? await allRecords(sources, { second, labeledOnly: labels }, signal)
            : await rowsOfTrainingSet(sources, trainingSet);
        const written = await writeDataFile(sources.s3, contents, out, format);
        const answer = { file: out, format, ...written, columns: columnNames(contents) };
        console.log(
          json
            ? JSON.stringify(answer, undefined, 2)
            : `${out}: ${written.rows} rows, ${answer.columns.length} columns, ${written.bytes} bytes`,
        );
        return 0;
      });
    }),
  );

async function allRecords(
  sources: Sources,
  selection: Parameters<typeof recordsSql>[2],
  signal: AbortSignal,
): Promise<Contents> {
  const { group, names } = sources;
  const answered = await runQuery(sources, recordsSql(group, names.database, selection), signal);
  const types = await columnsOfQuery(sources, answered);
  const columns = recordColumns(group).map((name, index) => ({ name, type: types[index]?.type ?? '' }));
  const { hostname: bucket, pathname } = new URL(answered.outputLocation);
  const key = decodeURIComponent(pathname.slice(1));
  return { sources: [{ bucket, key }], header: true, columns, orderBy: [group.recordIdentifier.name] };
}

async function rowsOfTrainingSet(sources: Sources, wanted: string): Promise<Contents> {
  const { files, columns } = await findTrainingSet(sources, wanted);
  const bucket = sources.names.dataBucket;
  return { sources: files.map((it) => ({ bucket, ...it })), header: false, columns, orderBy: [] };
}

if (import.meta.main) await runCommand(command);
