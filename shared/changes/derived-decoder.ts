import { type Derivation, type DerivedInput, derive, derivedInput } from '../definition/derivation.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../definition/feature-group.ts';
import type { FeatureCode } from './change.ts';
import { featureDecoder } from './feature-decoder.ts';
import { Problem } from './problem.ts';

/** Computes a feature from the values of the others, in the order of `columnsOf`, and judges it as if an item held it. */
export type DerivedDecoder = (values: readonly FeatureCode[]) => FeatureCode | Problem;

/** Makes what computes a derived feature. */
export function derivedDecoder(group: FeatureGroup, feature: Feature, derivation: Derivation): DerivedDecoder {
  const columns = columnsOf(group);
  const sources = derivation.from.map((name) => {
    const index = columns.findIndex((it) => it.name === name);
    return { name, index, source: columns[index]?.feature as Feature };
  });
  const { type, accept, judge } = featureDecoder(feature);
  return (values) => {
    const given: Record<string, DerivedInput> = {};
    for (const { name, index, source } of sources) {
      const code = values[index];
      const text = typeof code === 'number' && source.type === 'categorical' ? source.categories[code] : code;
      given[name] = derivedInput(source, text as string | null | undefined);
    }
    const derived = derive(derivation, given);
    if ('problem' in derived)
      return new Problem('derived-failed', `${feature.name} is derived, and ${derived.problem}.`);
    const { value } = derived;
    return value === undefined ? judge(undefined) : (accept(value[type as keyof typeof value]) ?? judge(value));
  };
}
