import { loadDefinition } from '../aws/definitions/definitions.ts';
import { readRecordedEvent } from '../replay/recorded-events.ts';
import { replayEvents } from '../replay/replay-events.ts';
import { resultsOf, writeResults } from '../replay/results.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { note } from '../terminal/note.ts';
import { definitionOption } from '../terminal/options.ts';
import { EXAMPLE } from './target.ts';

export const command = newCommand(
  'replay',
  'Sends recorded Lambda events through ingest, prints the fate of their records, and writes the results.',
)
  .argument('<EVENT.json...>', 'files of recorded events: whole Lambda events, or single stream records')
  .requiredOption('--out <DIR>', 'folder that the files are written to')
  .addOption(definitionOption().default(EXAMPLE))
  .action(
    exiting(async (files, { definition, out, verbose }) => {
      const group = await loadDefinition(definition);
      note(`Definition ${group.name}, in this process and in memory`);
      const events = await Promise.all(files.map(readRecordedEvent));
      const replayed = await replayEvents(
        group,
        events.map(({ records }) => records),
        ({ counts }) => verbose && console.error(JSON.stringify(counts)),
      );
      await writeResults(out, resultsOf(replayed, group));
      const { recordsIn: records, delivered, superseded, deleted, quarantined, skipped } = replayed.counts;
      const labels = replayed.labels.length;
      const fates = { delivered, superseded, deleted, quarantined, ...(group.items && { skipped }) };
      console.log(JSON.stringify({ events: events.length, records, ...fates, labels }));
      const sum = delivered + superseded + deleted + quarantined + skipped;
      if (sum === records) return 0;
      console.error(`Error: of ${records} records, ${sum} have a fate.`);
      return 1;
    }),
  );

if (import.meta.main) await runCommand(command);
