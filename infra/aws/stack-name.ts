import { loadFeatureGroup } from '../../shared/feature-groups/registry.ts';
import { namesOf } from './names.ts';

/** Prints the name of a feature group's stack in a stage, for scripts: `node stack-name.ts orders prod`. */
const [featureGroup = '', stage = ''] = process.argv.slice(2);
console.log(namesOf(await loadFeatureGroup(featureGroup), stage).stack);
