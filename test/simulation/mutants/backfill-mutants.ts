import type { Mutant } from './mutants.ts';

/** Broken decisions of a backfill, which its own simulation has to catch. */
export const BACKFILL_MUTANTS: readonly Mutant[] = [
  {
    name: 'deletes leave no tombstone',
    file: 'shared/sinks/remembered-deletes.ts',
    find: 'if (!recording) return undefined;',
    replace: 'return undefined;',
  },
  {
    // A put and its look have to fall between the two, which is too rare in seeds.
    name: 'tombstones are left after their deletes',
    unit: 'test/unit/history/backfill.test.ts',
    file: 'shared/sinks/remembered-deletes.ts',
    find: `      const problem = deletes.length > 0 ? await remember(deletes, pace) : undefined;
      if (problem === undefined) return onlineStore.write(changes, pace);`,
    replace: `      const written = await onlineStore.write(changes, pace);
      const problem = deletes.length > 0 ? await remember(deletes, pace) : undefined;
      if (problem === undefined) return written;`,
  },
  {
    name: 'no sweep at the end of a backfill',
    file: 'shared/history/run/tail.ts',
    find: 'await destinations.onlineStore.write(again, paceUntil(time, time.now() + SWEEP_MS));',
    replace: '{ failures: [] };',
  },
  {
    name: 'a sweep that waits for no late put',
    file: 'shared/history/run/tail.ts',
    find: 'export const LATE_PUTS_MS = 60_000;',
    replace: 'export const LATE_PUTS_MS = 0;',
  },
  {
    name: 'nobody looks after a put of a backfill',
    file: 'shared/history/run/chunk.ts',
    find: 'const deleted = put.length > 0 ? await deleteGone(put, looksFor, pace) : 0;',
    replace: 'const deleted = 0;',
  },
  {
    name: 'the table is not asked of an older export',
    file: 'shared/history/run/plan.ts',
    find: 'const looksAtTable = isBeforeRecording(source, clocks);',
    replace: 'const looksAtTable = false;',
  },
  {
    name: 'an item that is gone leaves no tombstone',
    file: 'shared/history/run/chunk.ts',
    find: 'if (unremembered.length > 0) await writeTombstones(unremembered, pace);',
    replace: '',
  },
  {
    name: 'statements dated as of their moment',
    file: 'shared/history/dating.ts',
    find: '(Math.floor(asOfMs / 1_000) - marginSeconds) * 1_000 - 1',
    replace: 'Math.floor(asOfMs / 1_000) * 1_000 + 999 + 0 * marginSeconds',
  },
  {
    name: 'a checkpoint before the sinks',
    file: 'shared/history/run/file.ts',
    find: `const counts = await writeChunk(chunk, looksAtTable, pace);
    await rows.add(chunk, counts);`,
    replace: `await rows.add(chunk, { rows: 0, rejected: 0, skipped: 0, deleted: 0, labels: 0, wrongLabels: 0 });
    const counts = await writeChunk(chunk, looksAtTable, pace);`,
  },
  {
    name: 'progress of a file is kept whoever has taken it',
    file: 'shared/state/backfill/progress.ts',
    find: "ConditionExpression: '#owner = :owner AND #step <= :step',",
    replace: "ConditionExpression: 'attribute_exists(#step) OR #owner = :owner AND #step <= :step',",
  },
  {
    name: 'a window of a chain is worked beside the one before it',
    file: 'shared/history/machine/files.ts',
    find: 'left.filter(({ file }) => file.exportNumber === exportNumber)',
    replace: 'left.filter(({ file }) => file.exportNumber >= exportNumber)',
  },
  {
    name: 'rows of a backfill that was taken up are not made again',
    file: 'shared/history/run/file.ts',
    find: 'if (fresh.length < block.length) await rows.makeAgain(',
    replace: 'if (fresh.length < 0) await rows.makeAgain(',
  },
  {
    name: 'statements dated as their items were written',
    file: 'shared/history/statements.ts',
    find: `        newLabel,
        eventTimeMs,`,
    replace: `        newLabel,
        eventTimeMs: Math.floor(
          Number(/WriteTimestampMicros":{"N":"(\\d+)/.exec(String(content))?.[1] ?? eventTimeMs * 1_000) / 1_000,
        ),`,
  },
  {
    name: 'pages of a scan dated as of their moment',
    file: 'shared/history/run/segment.ts',
    find: 'statementTime(asOfMs, dependencies.marginSeconds)',
    replace: 'asOfMs',
  },
  {
    name: 'where a scan goes on is kept before its pages are written',
    file: 'shared/history/run/segment.ts',
    find: 'const statements = statementsOf(',
    replace: `await writeSegmentProgress(table, runId, segment, {
      ...{ ...progress, after: next && JSON.stringify(next), done: next === undefined },
    });
    const statements = statementsOf(`,
  },
  {
    name: 'trainings start while a backfill records',
    file: 'shared/training/consider.ts',
    find: "asked === undefined && (await readBackfill(table))?.status === 'recording'",
    replace: 'false',
  },
];
