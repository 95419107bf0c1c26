/** Functions are bundled before files begin: those that begin at once would each do so. */
import { bundledFunctions } from '../../../infra/local/functions/bundled-functions.ts';

/** A definition that tests name; for those that they give by path, functions are bundled without. */
const NAMED = 'bank-marketing';
const BY_PATH = './definition.ts';

export default async function bundleOnce(): Promise<void> {
  for (const featureGroup of [NAMED, BY_PATH]) await bundledFunctions(featureGroup);
}
