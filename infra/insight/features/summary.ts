import type { Feature } from '../../../shared/definition/feature-group.ts';
import type { Sources } from '../sources.ts';
import { type Baseline, type ColumnWeight, readBaseline, type Spread } from './baseline.ts';
import { binNames, binsOf } from './bins.ts';
import { type Current, readCurrent, readEdges } from './current.ts';

/** A share of none counts as this, where its logarithm would be infinite: one row of ten thousand. */
const SHARE_MIN = 1e-4;

/** How one feature stands. Shares are of all rows of a class; with those without a value they add up to 1. */
export interface FeatureSummary {
  readonly name: string;
  readonly type: Feature['type'];
  /** Whether models learn from it. */
  readonly training: boolean;
  /** Names of the bins that `shares` are of. */
  readonly bins: readonly string[];
  readonly now: Spreads & { readonly range: readonly [least: number, greatest: number] | null };
  /** The rows that the newest model has learned from; null where it has not learned from the feature. */
  readonly baseline: Spreads | null;
  /**
   * Population stability index of now against the baseline: 0 for the same, 0.1 and more for a shift, 0.25 and more for
   * a great one. Source: the usual reading in credit scoring; N. Siddiqi, Credit Risk Scorecards, 2006.
   */
  readonly stability: number | null;
  /** Of the columns of a linear model that are made of it; null where there are none. */
  readonly weights: readonly ColumnWeight[] | null;
  /** Why nothing can be learned from it now. */
  readonly dead: 'no values' | 'one value' | null;
}

/** Of all rows, and by class; those without a label are under ''. */
interface Spreads extends Spread {
  readonly byClass: Readonly<Record<string, Spread>>;
}

/** How the features of a stack stand. */
export interface FeaturesSummary {
  /** Records that are alive, by class; under '' those without a label. */
  readonly rows: Readonly<Record<string, number>>;
  readonly baseline: {
    readonly model: string;
    readonly rows: Readonly<Record<string, number>>;
    /** Columns of the training set that have one value only. */
    readonly constant: readonly string[];
    /** Why the model's weights are not told; null when they are. */
    readonly unweighted: string | null;
  } | null;
  readonly features: readonly FeatureSummary[];
  readonly scannedBytes: number;
}

/**
 * Reads how all features stand, now and in the newest training. One statement of Athena reads every column of the
 * records that are alive; a second one those of numbers that no training has told of.
 *
 * @throws as `queryRows`.
 */
export async function summarizeFeatures(sources: Sources): Promise<FeaturesSummary> {
  const { group } = sources;
  const baseline = await readBaseline(sources);
  const untold = group.features.filter((it) => binsOf(it, []).of === 'numbers' && !baseline?.edgesOf(it.name));
  const found = await readEdges(sources, untold);
  const binned = group.features.map((feature) => {
    return { feature, bins: binsOf(feature, baseline?.edgesOf(feature.name) ?? found.get(feature.name) ?? []) };
  });
  const current = await readCurrent(sources, binned);
  return {
    rows: current.rowsByClass,
    baseline: baseline
      ? {
          ...{ model: baseline.model, rows: baseline.rowsByClass, constant: baseline.constant },
          unweighted: baseline.unweighted ?? null,
        }
      : null,
    features: binned.map(({ feature, bins }) => summaryOf(feature, binNames(bins, feature), current, baseline)),
    scannedBytes: current.scannedBytes,
  };
}

function summaryOf(
  feature: Feature,
  bins: readonly string[],
  current: Current,
  baseline: Baseline | undefined,
): FeatureSummary {
  const { name, type, training } = feature;
  const { byClass = {}, isConstant = true, range } = current.features.get(name) ?? {};
  const now = { ...together(byClass, current.rowsByClass), byClass, range: range ?? null };
  const trained = baseline?.spreadsOf(feature);
  const then = trained && baseline ? { ...together(trained, baseline.rowsByClass), byClass: trained } : null;
  const hasRows = Object.values(current.rowsByClass).some((rows) => rows > 0);
  const dead = !hasRows || !isConstant ? null : now.missing === 1 ? 'no values' : 'one value';
  return {
    ...{ name, type, training, bins, now, baseline: then },
    weights: baseline?.weightsOf(name) ?? null,
    stability: then && hasRows ? stabilityIndex(now, then) : null,
    dead: dead === 'one value' && now.missing > 0 ? null : dead,
  };
}

/** All classes together, each by its rows. */
function together(spreads: Readonly<Record<string, Spread>>, rows: Readonly<Record<string, number>>): Spread {
  const total = Object.keys(spreads).reduce((sum, it) => sum + (rows[it] ?? 0), 0);
  const mix = (shareOf: (spread: Spread) => number) =>
    Object.entries(spreads).reduce((sum, [it, spread]) => sum + shareOf(spread) * (rows[it] ?? 0), 0) /
    Math.max(1, total);
  const bins = Object.values(spreads)[0]?.shares.length ?? 0;
  return {
    missing: mix(({ missing }) => missing),
    shares: Array.from({ length: bins }, (_, bin) => mix(({ shares }) => shares[bin] ?? 0)),
  };
}

/** Sum over the bins, the missing values one of them, of the shares' difference times that of their logarithms. */
export function stabilityIndex(now: Spread, then: Spread): number {
  const expected = [then.missing, ...then.shares];
  return [now.missing, ...now.shares].reduce((sum, share, bin) => {
    const [a, b] = [Math.max(SHARE_MIN, share), Math.max(SHARE_MIN, expected[bin] ?? 0)];
    return sum + (a - b) * Math.log(a / b);
  }, 0);
}

/** The column that a feature weighs most by, per standard deviation; undefined where nothing is told. */
export function heaviest({ weights }: Pick<FeatureSummary, 'weights'>): ColumnWeight | undefined {
  const size = ({ perDeviation }: ColumnWeight) => Math.abs(perDeviation ?? 0);
  return weights?.filter((it) => it.perDeviation !== null).toSorted((a, b) => size(b) - size(a))[0];
}
