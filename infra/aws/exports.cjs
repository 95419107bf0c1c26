// osls exports every output by a name of service and stage, which the stacks of two feature groups would have in
// common, so that CloudFormation refuses the second one. Nobody imports them: they go.
module.exports = class Exports {
  constructor(serverless) {
    this.hooks = {
      'after:aws:package:finalize:addExportNameForOutputs': () => {
        for (const output of Object.values(serverless.service.provider.compiledCloudFormationTemplate.Outputs)) {
          delete output.Export;
        }
      },
    };
  }
};
