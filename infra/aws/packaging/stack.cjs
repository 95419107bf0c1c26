// osls reads .cjs but not .ts. This is the door: `names`, `streamArn` and `resources` are addresses in serverless.yml.
module.exports = async ({ resolveVariable }) => {
  const [major] = process.versions.node.split('.');
  if (Number(major) < 24) throw new Error('Run osls on Node 24: `npx serverless` takes the one in node_modules.');
  const { loadFeatureGroup } = require('../../../shared/definition/load.ts');
  const { namesOf } = require('../cloudformation/names.ts');
  const { resourcesOf } = require('../stack.ts');

  const featureGroup = await resolveVariable('param:featureGroup');
  const group = await loadFeatureGroup(featureGroup).catch((error) => {
    // osls shows the stack of an error that has one; the sentence is enough.
    error.stack = '';
    throw error;
  });
  const names = namesOf(group, await resolveVariable('sls:stage'));
  const stack = resourcesOf(group, names, {
    changeLogBufferSeconds: Number(await resolveVariable('param:changeLogBufferSeconds')),
    sourceTableStreamArn: await resolveVariable('param:sourceTableStreamArn'),
    kmsKeyArn: await resolveVariable('param:kmsKeyArn'),
    alarmTopicArn: await resolveVariable('param:alarmTopicArn'),
    deploymentConfiguration: await resolveVariable('param:deploymentConfiguration'),
  });
  // `serverless print` shows an object that occurs twice as a pointer to its first place; a copy has none.
  return JSON.parse(JSON.stringify({ names, ...stack }));
};
