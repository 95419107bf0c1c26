/** Mutants that no test can tell from the code, by their names, each with the reason. They count nowhere. */
export const EQUIVALENTS: Readonly<Record<string, string>> = {
  'shared/changes/decode.ts: if (bytes * 3 > RECORD_BYTES_MAX) { [bytes * 3 > RECORD_BYTES_MAX => true]':
    'the exact count, which it then always makes, comes to the same',
  "shared/changes/decode.ts: return feature === 'label' || feature.type !== 'categorical' ['label' => \"\"]":
    'the label has no type, so the other half of the condition says the same',
  'shared/changes/feature-decoder.ts: return number >= least && number <= greatest ? written : undefined; [number >= least => number > least]':
    'the quick way gives up, and the slow way takes the least number likewise',
  'shared/promotion/roc-auc.ts: while (to < order.length && at(values, at(order, to)) === at(values, at(order, from))) to += 1; [to < order.length => to <= order.length]':
    'beyond the end there is no value, which is equal to none',
};
