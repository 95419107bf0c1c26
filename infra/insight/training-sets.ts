import { listKeys } from '../../shared/calls/list-keys.ts';
import { labelOf } from '../../shared/definition/feature-group.ts';
import { nearMatch } from '../../shared/definition/near-match.ts';
import { trainingColumns } from '../../shared/model/encode.ts';
import { readEncoding } from '../../shared/state/encodings.ts';
import { readEpochState } from '../../shared/state/epochs.ts';
import { type Evidence, readEvidence } from '../../shared/state/evidence.ts';
import type { Column } from './query.ts';
import type { Sources } from './sources.ts';

/** Where training sets lie in the data bucket. */
const TRAINING_SETS_PREFIX = 'training-sets/';

/** The newest training set's name for whoever does not know it. */
export const NEWEST = 'last';

/** A training set: its columns, without the part, and its files, each of one part. */
export interface TrainingSet {
  readonly name: string;
  readonly schemaHash: string;
  readonly columns: readonly Column[];
  readonly files: readonly { readonly part: string; readonly key: string }[];
}

/** The newest training that has made a model, with the encoding of its rows; undefined before the first. */
export async function newestTraining({ dynamodb, names }: Pick<Sources, 'dynamodb' | 'names'>) {
  const table = { name: names.stateTable, dynamodb };
  const { epoch } = await readEpochState(table);
  const newest = (await readEvidence(table, epoch)).find(hasModel);
  const encoding = newest && (await readEncoding(table, newest.schemaHash));
  return newest && encoding && { ...newest, encoding };
}

/** Where a model's training set lies in the data bucket. */
export const trainingSetFolder = (modelName: string): string => `${TRAINING_SETS_PREFIX}${modelName}/`;

/**
 * Finds the training set of a model, or the newest. Its names come from the encoding that the training kept.
 *
 * @throws Error naming what there is, when there is no such one, or its files have expired.
 */
export async function findTrainingSet({ dynamodb, s3, names, group }: Sources, wanted: string): Promise<TrainingSet> {
  const table = { name: names.stateTable, dynamodb };
  const { epoch } = await readEpochState(table);
  const trained = (await readEvidence(table, epoch)).filter(hasModel);
  const found = wanted === NEWEST ? trained[0] : trained.find(({ modelName }) => modelName === wanted);
  if (!found) {
    const known = trained.map(({ modelName }) => modelName);
    const near = nearMatch(wanted, known);
    const [newest = 'none, as no training is over'] = known;
    throw new Error(
      `--training-set: there is no training set ${wanted}. ${near ? `Did you mean ${near}?` : `The newest is ${newest}.`}`,
    );
  }
  const { modelName: name, schemaHash } = found;
  const encoding = await readEncoding(table, schemaHash);
  if (!encoding) throw new Error(`The names of schema ${schemaHash} were not kept: train again under this version.`);
  const files: { part: string; key: string }[] = [];
  for await (const key of listKeys(s3, names.dataBucket, `${trainingSetFolder(name)}part=`)) {
    const [, part] = /\/part=([a-z]+)\//.exec(key) ?? [];
    if (part !== undefined) files.push({ part, key });
  }
  if (files.length === 0) throw new Error(`The files of training set ${name} have expired: take a newer one.`);
  const columns = trainingColumns(encoding).map((column) => ({ name: column, type: 'double' }));
  const { name: label, type } = labelOf(group);
  return { name, schemaHash, columns: [{ name: label, type: type ? 'double' : 'integer' }, ...columns], files };
}

const hasModel = (evidence: Evidence): evidence is Evidence & { modelName: string } => evidence.modelName !== undefined;
