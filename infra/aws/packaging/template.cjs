// osls loads plugins by require. What is done to its template is in template.ts.
module.exports = class Template {
  constructor(serverless) {
    const change = (name) => async () => require('./template.ts')[name](serverless.service);
    this.hooks = {
      'before:package:compileFunctions': change('aimAtAliases'),
      'after:aws:package:finalize:addExportNameForOutputs': change('withoutExports'),
      'after:aws:package:finalize:mergeCustomProviderResources': change('finishTemplate'),
    };
  }
};
