import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import { type Encoding, encodingOf } from '../model/encoding.ts';
import { PredictionRefused, STATUS } from './refusal.ts';
import { requestedFeatures } from './schema.ts';

/** What serves, as a prediction needs it. */
export interface Model {
  readonly name: string;
  readonly endpointName: string;
  readonly threshold: number | null;
  readonly encoding: Encoding;
  /** Features that a request may have, the same list each time. */
  readonly features: readonly Feature[];
}

/** What is recorded of it. */
export interface ServingModel {
  readonly modelName: string;
  readonly schemaHash: string;
  readonly endpointName?: string | undefined;
  readonly threshold?: number | undefined;
}

/** Where it is recorded. */
export interface ModelSources {
  readServing(): Promise<ServingModel | undefined>;
  readEncoding(schemaHash: string): Promise<Encoding | undefined>;
  /** Endpoint of a model of version 0.1.0, which is recorded without one. */
  readonly endpointName: string;
}

/**
 * Makes a reader of what serves. The encoding is the definition's where the hashes agree, so that nothing is read for it;
 * only between a change of the definition and the first model of it another is read, once.
 *
 * @throws PredictionRefused (409), from the reader, when the definition was changed before any encoding was kept.
 */
export function modelReader(group: FeatureGroup, sources: ModelSources): () => Promise<Model | undefined> {
  let known: Pick<Model, 'encoding' | 'features'> | undefined;
  return async () => {
    const serving = await sources.readServing();
    if (!serving) return undefined;
    const { modelName: name, schemaHash, endpointName = sources.endpointName, threshold = null } = serving;
    if (known?.encoding.schemaHash !== schemaHash) {
      const encoding = await encodingFor(group, schemaHash, sources);
      known = { encoding, features: requestedFeatures(group, encoding) };
    }
    return { name, endpointName, threshold, ...known };
  };
}

async function encodingFor(group: FeatureGroup, schemaHash: string, sources: ModelSources): Promise<Encoding> {
  const defined = encodingOf(group);
  const encoding = defined.schemaHash === schemaHash ? defined : await sources.readEncoding(schemaHash);
  if (encoding) return encoding;
  throw new PredictionRefused(
    STATUS.conflict,
    `The model that serves was trained with schema ${schemaHash}, whose encoding is not kept; the definition's is ${defined.schemaHash} now, so the next training has to finish first.`,
  );
}
