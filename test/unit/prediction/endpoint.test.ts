import { expect, test } from 'vitest';
import { scoreRows } from '../../../shared/prediction/endpoint.ts';

const classes = { kind: 'multi-class', classes: ['low', '7', 'high'] } as const;
const number = { kind: 'regression', classes: [] } as const;

const answered = (predictions: readonly object[], label?: typeof classes | typeof number) => {
  const Body = Buffer.from(JSON.stringify({ predictions }));
  const runtime = { send: async () => ({ Body }) } as unknown as Parameters<typeof scoreRows>[0];
  return scoreRows(runtime, 'e', Array(predictions.length).fill(['1']), new AbortController().signal, label);
};

test('of two classes the label is the model’s own, or that of a score of 0.5', async () => {
  expect(await answered([{ score: 0.4, predicted_label: 1 }, { score: 0.5 }, { score: 0.4 }])).toEqual([
    { score: 0.4, predicted_label: 1 },
    { score: 0.5, predicted_label: 1 },
    { score: 0.4, predicted_label: 0 },
  ]);
});

test('of several classes it is the model’s own, or the likeliest, with its name and all probabilities', async () => {
  const score = [0.1, 0.3, 0.6];
  const scores = { low: 0.1, 7: 0.3, high: 0.6 };
  expect(await answered([{ score, predicted_label: 1 }, { score }], classes)).toEqual([
    { score: 0.3, predicted_label: 1, predicted_class: '7', scores },
    { score: 0.6, predicted_label: 2, predicted_class: 'high', scores },
  ]);
});

test('a number is answered as it is, without a label', async () => {
  expect(await answered([{ score: -12.5 }], number)).toEqual([{ score: -12.5 }]);
});

test('scores of another kind of label are no answer', async () => {
  const message = 'Endpoint e answered scores of another kind of label';
  await expect(answered([{ score: 0.5 }], classes)).rejects.toThrow(message);
  await expect(answered([{ score: [0.5, 0.5] }], number)).rejects.toThrow(message);
  await expect(answered([{ score: [0.5, 0.5] }])).rejects.toThrow(message);
});
