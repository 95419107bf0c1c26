import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import type { Encoding } from '../model/encoding.ts';

/**
 * What a request may say while a definition changes: the features that the definition has now, and those that the model
 * which serves was trained with. So neither a client of yesterday nor one of tomorrow is turned away. Needed is what
 * that model cannot do without.
 */
export function requestedFeatures(group: FeatureGroup, { features }: Encoding): Feature[] {
  const trained = features.map((feature) => {
    const defined = group.features.find((it) => it.name === feature.name);
    if (!defined) return feature;
    return { ...merged(defined, feature), ...(defined.derived && { derived: defined.derived }) };
  });
  const sources = new Set(trained.flatMap((it) => it.derived?.from ?? []));
  const others = group.features.filter((it) => !features.some(({ name }) => name === it.name));
  return [...trained, ...others.map((it) => (sources.has(it.name) ? needed(it) : untrained(it)))];
}

/** What a trained feature is computed from is needed, whether or not it trains itself; a text may be left out. */
const needed = (feature: Feature): Feature => (feature.type === 'string' ? feature : { ...feature, training: true });

const untrained = <F extends Feature>(feature: F): F => ({ ...feature, training: false });

/** Bounds are the definition's, as they decide nothing of the encoding; categories are of both, and others are taken if either takes them. */
function merged(defined: Feature, trained: Feature): Feature {
  if (defined.type === 'categorical' && trained.type === 'categorical') {
    const others = trained.others || defined.others;
    return {
      ...trained,
      ...(others && { others }),
      categories: [...new Set([...trained.categories, ...defined.categories])],
    };
  }
  if (defined.type === 'integral' && trained.type === 'integral') return { ...defined, ...trained };
  if (defined.type === 'fractional' && trained.type === 'fractional') return { ...defined, ...trained };
  return trained;
}
