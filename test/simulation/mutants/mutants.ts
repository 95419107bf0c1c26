/** One deliberately broken decision: a place in the product's source, and what it says instead. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once in the file, or the mutant is out of date. */
  readonly find: string;
  readonly replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'event time from the wall clock',
    file: 'shared/delivery/deliver.ts',
    find: 'const timed = assignEventTimes(changes, found);',
    replace: 'const timed = changes.map((it) => ({ ...it, eventTimeMs: paces.sinks.now() }));',
  },
  {
    name: 'ordinals dropped',
    file: 'shared/changes/event-time.ts',
    find: 'Math.max(ownMs, previousMs + 1)',
    replace: 'Math.max(ownMs, previousMs)',
  },
  {
    name: 'event time is the second alone',
    file: 'shared/changes/event-time.ts',
    find: 'previousMs === undefined ? ownMs : Math.max(ownMs, previousMs + 1)',
    replace: 'ownMs',
  },
  {
    name: 'fences not read',
    file: 'shared/delivery/deliver.ts',
    find: 'atRisk.map(({ recordIdentifier }) => recordIdentifier)',
    replace: '[]',
  },
  {
    name: 'fences not written',
    file: 'shared/delivery/deliver.ts',
    find: 'fences.write(lastOfWindow(timed, checkpoint, hazard)',
    replace: 'fences.write([]',
  },
  {
    name: 'fences written before the sinks',
    file: 'shared/delivery/deliver.ts',
    find: 'const results = await Promise.all(',
    replace:
      'await destinations.fences.write(lastOfWindow(timed, undefined, hazard), found, paces.fences);\nconst results = await Promise.all(',
  },
  {
    name: 'fences move back',
    file: 'shared/state/fences.ts',
    find: "ConditionExpression: 'attribute_not_exists(pk) OR eventTimeMs < :eventTimeMs',",
    replace: '',
  },
  {
    name: 'a fence forgets the one it replaced',
    file: 'shared/state/fences.ts',
    find: '...(before && {',
    replace: '...(false && {',
  },
  {
    name: 'fences chosen by the change’s own second',
    file: 'shared/delivery/deliver.ts',
    find: 'change.eventTimeMs >= (lastSecond - hazard) * 1_000',
    replace: 'change.second >= lastSecond - hazard',
  },
  {
    name: 'no hazard window',
    file: 'shared/delivery/deliver.ts',
    find: 'const hazard = group.eventTime.attribute === undefined ? hazardSeconds :',
    replace: 'const hazard = group.eventTime.attribute === undefined ? -1 :',
  },
  {
    name: 'checkpoint beyond what was fenced',
    file: 'shared/delivery/deliver.ts',
    find: 'if (fenceFailures.length === 0) break;',
    replace: 'break;',
  },
  {
    name: 'hard instead of soft delete',
    file: 'shared/online-store/online-store.ts',
    find: "DeletionMode: 'SoftDelete'",
    replace: "DeletionMode: 'HardDelete'",
  },
  {
    name: 'deletions not delivered',
    file: 'shared/changes/last-change.ts',
    find: "if (change.eventName !== 'REMOVE' || isDelete(group, change)) last.set",
    replace: "if (change.eventName !== 'REMOVE') last.set",
  },
  {
    name: 'the first instead of the last change of a record',
    file: 'shared/changes/last-change.ts',
    find: 'isDelete(group, change)) last.set(change.recordIdentifier, change);',
    replace:
      'isDelete(group, change)) { if (!last.has(change.recordIdentifier)) last.set(change.recordIdentifier, change); }',
  },
  {
    name: 'all changes of a record written at once',
    file: 'shared/sinks/feature-store.ts',
    find: 'const last = lastChangePerRecord(group, changes);',
    replace: 'const last = changes;',
  },
  {
    name: 'UnprocessedEntries ignored',
    file: 'shared/sinks/feature-store.ts',
    find: 'of answer.UnprocessedEntries ?? []',
    replace: 'of []',
  },
  {
    name: 'Errors ignored',
    file: 'shared/sinks/feature-store.ts',
    find: 'of answer.Errors ?? []',
    replace: 'of []',
  },
  {
    name: 'any answer to a direct call taken for a success',
    file: 'shared/online-store/direct.ts',
    find: 'return response.statusCode === 200 ? JSON.parse(text) : undefined;',
    replace: 'return JSON.parse(text);',
  },
  {
    name: 'entries that a direct call left unprocessed dropped',
    file: 'shared/online-store/direct.ts',
    find: 'response.statusCode === 200 ? JSON.parse(text) : undefined;',
    replace: 'response.statusCode === 200 ? { ...JSON.parse(text), UnprocessedEntries: [] } : undefined;',
  },
  {
    name: 'a failed direct call not made again',
    file: 'shared/online-store/direct.ts',
    find: 'if (model === like) model = undefined;',
    replace: 'return { Errors: [], UnprocessedEntries: [] };',
  },
  {
    name: 'a body’s memory used again before its answer',
    file: 'shared/online-store/direct.ts',
    find: 'const body = writeBody(changes, memory);',
    replace: 'const body = writeBody(changes, memory); idle.push(memory);',
  },
  {
    name: 'the first call’s body sent by every direct call',
    file: 'shared/online-store/direct.ts',
    find: "'content-length': String(body.byteLength),",
    replace: "'content-length': String((body = sent.body as never).byteLength),",
  },
  {
    name: 'null written as an empty text',
    file: 'shared/online-store/online-store.ts',
    find: "if (typeof text === 'string') record.push({ FeatureName: name, ValueAsString: text });",
    replace: "record.push({ FeatureName: name, ValueAsString: text ?? '' });",
  },
  {
    name: 'FailedPutCount ignored',
    file: 'shared/sinks/change-log.ts',
    find: 'if (FailedPutCount === 0)',
    replace: 'if (FailedPutCount !== undefined)',
  },
  {
    name: 'a failed Firehose call taken for a success',
    file: 'shared/sinks/change-log.ts',
    find: 'return { failed: call, error: describeError(error) };',
    replace: 'return { failed: [] };',
  },
  {
    name: 'line breaks kept in rows',
    file: 'shared/change-log/row.ts',
    find: ".replace(/\\r\\n|[\\r\\n]/g, ' ')",
    replace: '',
  },
  {
    name: 'numbers made doubles',
    file: 'shared/changes/feature-decoder.ts',
    find: 'isPlainDecimal(written) ? written',
    replace: 'isPlainDecimal(written) ? String(Number(written))',
  },
  {
    name: 'the highest instead of the lowest failure answered',
    file: 'shared/delivery/deliver.ts',
    find: 'compareSequenceNumbers(it, least) < 0',
    replace: 'compareSequenceNumbers(it, least) > 0',
  },
  {
    name: 'sequence numbers compared as text',
    file: 'shared/changes/sequence-number.ts',
    find: 'if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0;',
    replace: 'return a < b ? -1 : a > b ? 1 : 0;',
  },
  {
    name: 'a failed quarantine ignored',
    file: 'shared/delivery/deliver.ts',
    find: 'failures.push({ sequenceNumber: rejection.sequenceNumber, message });',
    replace: '',
  },
  {
    name: 'the time left not respected',
    file: 'functions/ingest.ts',
    find: 'context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS',
    replace: '3_600_000',
  },
  {
    name: 'labels counted by deliveries',
    file: 'shared/sinks/label-ledger.ts',
    find: 'pk: { S: labelKey(change.recordIdentifier) },',
    replace: `pk: { S: labelKey(change.recordIdentifier) + '#' + (globalThis.count = (globalThis.count ?? 0) + 1) },`,
  },
  {
    name: 'the label ledger without its condition',
    file: 'shared/sinks/label-ledger.ts',
    find: "ConditionExpression: 'attribute_not_exists(pk) OR sequenceNumber < :sequenceNumber',",
    replace: '',
  },
  {
    name: 'a claim without its condition',
    file: 'shared/state/epochs.ts',
    find: 'ConditionExpression: move.condition,',
    replace: '',
  },
  {
    name: 'a start that is new each time',
    file: 'shared/training/execution.ts',
    find: 'const { executionName: name, input } = training;',
    replace: `const { input } = training; const name = training.executionName + '-' + (globalThis.count = (globalThis.count ?? 0) + 1);`,
  },
  {
    name: 'a claim whose start was lost is left alone',
    file: 'shared/training/policy.ts',
    find: "decision: 'resume',",
    replace: "decision: 'wait',",
  },
  {
    name: 'labels that land in a claimed epoch are not carried over',
    file: 'shared/state/epochs.ts',
    find: 'beyond(await countLabels(table, epoch), countsAtClaim)',
    replace: 'NO_LABELS',
  },
  {
    name: 'an execution that vanished is left alone',
    file: 'shared/training/consider.ts',
    find: "if (execution === 'running') return decision;",
    replace: 'return decision;',
  },
  {
    name: 'redrive without looking at the table',
    file: 'shared/delivery/redrive.ts',
    find: 'const current = Item ? decode(asInsert(record, Item)) : removal;',
    replace: 'const current = Item ? decode(record) : removal;',
  },
  {
    name: 'redrive dates its repairs by its own clock',
    file: 'shared/delivery/redrive.ts',
    find: 'export const REDRIVE_MARGIN_SECONDS = 10;',
    replace: 'export const REDRIVE_MARGIN_SECONDS = -10;',
  },
  {
    name: 'redrive forgets the rows',
    file: 'shared/delivery/redrive.ts',
    find: 'destinations.changeLog.write(rows, pace)',
    replace: 'destinations.changeLog.write([], pace)',
  },
];
