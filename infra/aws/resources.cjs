// osls reads .cjs but not .ts. This is the door: `names` and `resources` are addresses in serverless.yml.
module.exports = async ({ resolveVariable }) => {
  const [major] = process.versions.node.split('.');
  if (Number(major) < 24) throw new Error('Run osls on Node 24: `npx serverless` takes the one in node_modules.');
  const { loadFeatureGroup } = require('../../shared/feature-groups/registry.ts');
  const { namesOf } = require('./names.ts');
  const { resourcesOf } = require('./resources.ts');

  const featureGroup = await resolveVariable('param:featureGroup');
  const group = await loadFeatureGroup(featureGroup).catch((error) => {
    // osls shows the stack of an error that has one; the sentence is enough.
    error.stack = '';
    throw error;
  });
  const names = namesOf(group, await resolveVariable('sls:stage'));
  const changeLogBufferSeconds = Number(await resolveVariable('param:changeLogBufferSeconds'));
  const resources = resourcesOf(group, names, { changeLogBufferSeconds });
  // `serverless print` shows an object that occurs twice as a pointer to its first place; a copy has none.
  return { names, resources: JSON.parse(JSON.stringify(resources)) };
};
