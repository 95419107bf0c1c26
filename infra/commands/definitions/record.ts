import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { recordMasking } from '../../replay/masking.ts';
import { recordedEvents, streamOfTable, writeEvents } from '../../replay/recording.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { definitionOption, regionOption, stageOption, wholeNumber } from '../../terminal/options.ts';
import { EXAMPLE, STAGE, targetOf } from '../target.ts';

const RECORDS = 100;
const RECORDS_MAX = 100_000;

export const command = newCommand(
  'record',
  "Keeps records of a table's stream as fixtures for tests and npm run replay, with personal values masked.",
)
  .option('--table <TABLE>', "the table whose stream is read; without it, the definition's")
  .option('--stream <ARN>', 'the stream to read, in place of the newest of a table')
  .option('--records <N>', 'records to keep at most', wholeNumber('records', 1, RECORDS_MAX), RECORDS)
  .requiredOption('--out <DIR>', 'folder that the files are written to')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .action(
    exiting(async ({ table, stream, records, out, ...options }) => {
      const { group, settings } = await targetOf(options);
      const dynamodb = new DynamoDBClient(settings);
      const streams = new DynamoDBStreamsClient(settings);
      try {
        const streamArn = stream ?? (await streamOfTable(dynamodb, table ?? group.table));
        // Nobody can tell from a mask what it stands for: the key is forgotten.
        const mask = recordMasking(group, randomBytes(32));
        const events: object[][] = [];
        let kept = 0;
        for await (const event of recordedEvents(streams, streamArn)) {
          const some = event.slice(0, records - kept).map(mask);
          kept += some.length;
          events.push(some);
          if (kept === records) break;
        }
        if (kept === 0)
          throw new Error('The stream holds no records: it keeps those of a day. Write to the table first.');
        const files = await writeEvents(out, events);
        console.log(`${out}: ${kept} records in ${files.length} files`);
        return 0;
      } finally {
        dynamodb.destroy();
        streams.destroy();
      }
    }),
  );

if (import.meta.main) await runCommand(command);
