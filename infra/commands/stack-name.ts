import { loadFeatureGroup } from '../../shared/definition/load.ts';
import { namesOf } from '../aws/cloudformation/names.ts';

/** Prints the name of a feature group's stack in a stage, for scripts: `node stack-name.ts orders prod`. */
const [featureGroup = '', stage = ''] = process.argv.slice(2);
console.log(namesOf(await loadFeatureGroup(featureGroup), stage).stack);
