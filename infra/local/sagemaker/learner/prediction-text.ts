/** What a binary classifier answers to one row. */
export interface Prediction {
  readonly score: number;
  readonly label: 0 | 1;
}

/** A prediction as linear-learner's container writes it. */
export function jsonPrediction({ score, label }: Prediction): string {
  return `{"score":${decimal(score)},"predicted_label":${decimal(label)}}`;
}

/** A number as the container's Python writes floats: `1.0`, not `1`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
