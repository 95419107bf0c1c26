import { describe } from 'vitest';
import { backEnds } from '../../../../given/local/dynamodb-back-ends.ts';
import { streamsUnderTest } from '../../../../given/local/streams-under-test.ts';
import { rulesOfReading } from './reading.ts';
import { rulesOfValues } from './values.ts';
import { rulesOfWrites } from './writes.ts';

/** What DynamoDB documents of its streams, held against every back end through real SDK clients. */
for (const backEnd of backEnds) {
  if (backEnd.missing)
    console.warn(`SKIPPED: the contract of DynamoDB streams against ${backEnd.name}: ${backEnd.missing}`);
  const title = backEnd.missing ? `${backEnd.name} (SKIPPED: ${backEnd.missing})` : backEnd.name;
  describe.skipIf(backEnd.missing)(`DynamoDB streams: ${title}`, () => {
    const streams = streamsUnderTest(backEnd);
    rulesOfWrites(streams);
    rulesOfReading(streams);
    rulesOfValues(streams);
  });
}
