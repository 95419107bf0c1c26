import { GetObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { Feature } from '../../../shared/definition/feature-group.ts';
import type { Encoding } from '../../../shared/model/encoding.ts';
import type { Sources } from '../sources.ts';
import { newestTraining, trainingSetFolder } from '../training-sets.ts';

/** What `features.json` of a training set says of one column. The shares of one without edges are not told, as by older versions. */
const columnSchema = z.object({
  name: z.string(),
  feature: z.string(),
  holds: z.enum(['value', 'missing', 'category', 'other', 'position', 'bucket']),
  isConstant: z.boolean(),
  edges: z.array(z.number()).optional(),
  byClass: z.record(
    z.string(),
    z.object({ share: z.number().nullable().optional(), shares: z.array(z.number()).optional() }),
  ),
});

const documentSchema = z.object({
  rows: z.number(),
  rowsByClass: z.record(z.string(), z.number()).optional(),
  columns: z.array(columnSchema),
});

type Column = z.output<typeof columnSchema>;

/** What `weights.json` says: the weights of a linear model, or why there are none. */
const weightsSchema = z.discriminatedUnion('isLinear', [
  z.object({
    isLinear: z.literal(true),
    columns: z.array(
      z.object({
        ...{ name: z.string(), feature: z.string() },
        ...{ weight: z.number().nullable(), perDeviation: z.number().nullable() },
      }),
    ),
  }),
  z.object({ isLinear: z.literal(false), reason: z.string() }),
]);

/** A column's weight in log odds: of one unit, and of one standard deviation, by which columns compare. */
export interface ColumnWeight {
  readonly column: string;
  readonly weight: number | null;
  readonly perDeviation: number | null;
}

/** How a feature's values are spread over rows: the share without a value, and that of each bin; together they are 1. */
export interface Spread {
  readonly missing: number;
  readonly shares: readonly number[];
}

/** The rows that a model has learned from. */
export interface Baseline {
  readonly model: string;
  readonly schemaHash: string;
  readonly rowsByClass: Readonly<Record<string, number>>;
  /** Columns that have had one value only. */
  readonly constant: readonly string[];
  /** Where the bins of a number end, upwards; undefined where the training did not tell. */
  edgesOf(feature: string): readonly number[] | undefined;
  /** Of the feature's columns; undefined where the model is not linear, or its training told none. */
  weightsOf(feature: string): readonly ColumnWeight[] | undefined;
  /** Why no weights are told. */
  readonly unweighted: string | undefined;
  /** By class, in the bins of the feature as it is defined now; undefined where it was not learned from. */
  spreadsOf(feature: Feature): Readonly<Record<string, Spread>> | undefined;
}

/** The newest training's rows; undefined before the first training, and when its files have expired. */
export async function readBaseline(sources: Sources): Promise<Baseline | undefined> {
  const training = await newestTraining(sources);
  if (!training) return undefined;
  const { modelName, encoding } = training;
  const folder = trainingSetFolder(modelName);
  const document = await readDocument(sources, `${folder}features.json`, documentSchema);
  const weights = document && (await readDocument(sources, `${folder}weights.json`, weightsSchema));
  return document && baselineOf(modelName, encoding, document, weights);
}

async function readDocument<T>(
  { s3, names }: Sources,
  Key: string,
  schema: { parse(text: unknown): T },
): Promise<T | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: names.dataBucket, Key }));
    return schema.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  }
}

function baselineOf(
  model: string,
  encoding: Encoding,
  { rows, rowsByClass, columns }: z.output<typeof documentSchema>,
  weights: z.output<typeof weightsSchema> | undefined,
): Baseline {
  const ofFeature = Map.groupBy(columns, ({ feature }) => feature);
  const classes = Object.keys(columns[0]?.byClass ?? {});
  return {
    ...{ model, schemaHash: encoding.schemaHash },
    rowsByClass: rowsByClass ?? Object.fromEntries(classes.map((it) => [it, rows / classes.length])),
    constant: columns.flatMap(({ name, isConstant }) => (isConstant ? [name] : [])),
    unweighted: weights?.isLinear ? undefined : (weights?.reason ?? 'Its training told none.'),
    weightsOf(feature) {
      const own = weights?.isLinear ? weights.columns.filter((it) => it.feature === feature) : [];
      return own.length === 0
        ? undefined
        : own.map(({ name: column, feature: _, ...weight }) => ({ column, ...weight }));
    },
    edgesOf: (feature) => ofFeature.get(feature)?.find(({ holds }) => holds === 'value')?.edges,
    spreadsOf(feature) {
      const trained = encoding.features.find(({ name }) => name === feature.name);
      const found = ofFeature.get(feature.name);
      if (!found || trained?.type !== feature.type) return undefined;
      const spreads = classes.map((it) => [it, spreadOf(feature, trained, found, it)] as const);
      return spreads.every((it): it is readonly [string, Spread] => it[1] !== undefined)
        ? Object.fromEntries(spreads)
        : undefined;
    },
  };
}

/** One class's values of a feature. A category that the training did not know has no share. */
function spreadOf(feature: Feature, trained: Feature, columns: readonly Column[], label: string): Spread | undefined {
  const of = (holds: Column['holds']) => columns.find((it) => it.holds === holds)?.byClass[label];
  const rest = (shares: readonly number[]) => Math.max(0, 1 - shares.reduce((sum, it) => sum + it, 0));
  switch (feature.type) {
    case 'categorical': {
      const named = new Map(sharesOfCategories(trained, columns, label));
      const shares = [...feature.categories, ...(feature.others ? [undefined] : [])].map((it) => named.get(it) ?? 0);
      return { missing: rest([...named.values()]), shares };
    }
    case 'hashed': {
      const shares = columns.map(({ byClass }) => byClass[label]?.share ?? 0);
      return { missing: rest(shares), shares };
    }
    case 'boolean': {
      const missing = of('missing')?.share ?? 0;
      const yes = of('value')?.share ?? 0;
      // A missing boolean counts as false in training.
      return { missing, shares: [Math.max(0, 1 - yes - missing), yes] };
    }
    default: {
      const missing = of('missing')?.share ?? 0;
      const shares = of('value')?.shares;
      return shares && { missing, shares: shares.map((share) => share * (1 - missing)) };
    }
  }
}

/** Shares of the categories that a model knows; undefined stands for all others. */
function sharesOfCategories(
  trained: Feature,
  columns: readonly Column[],
  label: string,
): [category: string | undefined, share: number][] {
  const categories = trained.type === 'categorical' ? trained.categories : [];
  const position = columns.find(({ holds }) => holds === 'position');
  const shares = position
    ? (position.byClass[label]?.shares?.slice(1) ?? [])
    : columns.map(({ byClass }) => byClass[label]?.share ?? 0);
  return shares.map((share, index) => [categories[index], share]);
}
