import { type DerivedInput, derive } from '../../../shared/definition/derivation.ts';
import type { Feature, FeatureGroup } from '../../../shared/definition/feature-group.ts';

/** Samples that each function is run on. */
const SAMPLES = 32;

/** Milliseconds that the clock is put on for the second run: a function that reads it gives something else. */
const CLOCK_MS = 400 * 86_400_000;

/**
 * Functions of derived features that are not pure: run twice on the same samples, on another day, they differ, or they
 * change what they are given. Stored once by ingest, and computed again by a redrive and by predict, they would disagree.
 */
export function derivationProblems({ features }: FeatureGroup): string[] {
  return features.flatMap(({ name, derived }) => {
    if (!derived) return [];
    const sources = features.filter((it) => derived.from.includes(it.name));
    const differs = Array.from({ length: SAMPLES }, (_, n) => n).some((n) => {
      const given = () => Object.fromEntries(sources.map((it) => [it.name, sampleOf(it, n)]));
      const changed = given();
      const once = JSON.stringify(derive(derived, changed));
      const again = onAnotherDay(() => JSON.stringify(derive(derived, given())));
      return once !== again || JSON.stringify(changed) !== JSON.stringify(given());
    });
    return differs
      ? [
          `${name} is derived by a function that is not pure: two runs on the same values differ, so that ingest and predict would disagree`,
        ]
      : [];
  });
}

/** A value of a feature, another for each sample; sometimes none, where the feature is optional. */
function sampleOf(feature: Feature, n: number): DerivedInput {
  if (feature.optional && n % 8 === 7) return undefined;
  switch (feature.type) {
    case 'integral':
      return n - 4;
    case 'fractional':
      return n * 1.25 - 4;
    case 'timestamp':
      return 1_767_225_600 + n * 86_400.5;
    case 'boolean':
      return n % 2 === 0;
    case 'categorical':
      return feature.categories[n % feature.categories.length];
    case 'hashed':
    case 'string':
      return `text ${n}`;
  }
}

function onAnotherDay<T>(run: () => T): T {
  const RealDate = globalThis.Date;
  globalThis.Date = class extends RealDate {
    constructor(...given: [] | [number | string]) {
      if (given.length === 0) super(RealDate.now() + CLOCK_MS);
      else super(...(given as [number]));
    }
    static override now = () => RealDate.now() + CLOCK_MS;
  } as DateConstructor;
  try {
    return run();
  } finally {
    globalThis.Date = RealDate;
  }
}
