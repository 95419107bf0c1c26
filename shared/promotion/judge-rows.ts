/** Rows that models are judged by, and which fields of a row each of them takes. */

/** Fields before the columns: the label. */
const LABEL_FIELDS = 1;

/** The same where two schemas share the records: label; 1 if the champion can read the record, or 0; the row's number. */
const SHARED_FIELDS = 3;

/**
 * Where the rows of each model lie, and the fields that it takes, as JSONPath of batch transform's InputFilter. A model's
 * columns come last, so that no slice needs an end: SageMaker's guide calls it inclusive, and the JsonPath that it refers to
 * exclusive. Source: SageMaker, "Associate Prediction Results with Input Records".
 */
export interface JudgeRows {
  readonly challengerUri: string;
  readonly championUri: string;
  /** Whether champion and challenger are of different schemas, so that each has rows of its own for the same records. */
  readonly isShared: boolean;
  readonly challengerFields: string;
  readonly championFields: string;
}

/** Rows that models of one schema read: those of the training set. */
export const rowsOfOneSchema = (uri: string): JudgeRows => ({
  ...{ challengerUri: uri, championUri: uri, isShared: false },
  ...{ challengerFields: `$[${LABEL_FIELDS}:]`, championFields: `$[${LABEL_FIELDS}:]` },
});

/** Where the rows of a model lie, by the value that they are partitioned by. */
const sideFolder = (side: 'challenger' | 'champion'): string => `side=${side}/`;

/** Rows of the same records for two schemas. All have as many fields: the shorter ones are filled before their columns. */
export function rowsOfTwoSchemas(uri: string, columns: { challenger: number; champion: number }): JudgeRows {
  const width = Math.max(columns.challenger, columns.champion);
  const last = (count: number) => `$[${SHARED_FIELDS + width - count}:]`;
  return {
    ...{ challengerUri: `${uri}${sideFolder('challenger')}`, championUri: `${uri}${sideFolder('champion')}` },
    ...{ isShared: true, challengerFields: last(columns.challenger), championFields: last(columns.champion) },
  };
}

/** The fields of a row that the challenger takes, as it takes them. */
export function challengersRow(row: string, { challengerFields }: Pick<JudgeRows, 'challengerFields'>): string {
  const [, from] = /^\$\[(\d+):\]$/.exec(challengerFields) ?? [];
  return row.split(',').slice(Number(from)).join(',');
}
