// osls loads plugins by require. The bundling itself is in bundle.ts.
module.exports = class Bundle {
  constructor(serverless, _options, { log }) {
    this.hooks = {
      'before:package:initialize': async () =>
        require('./bundle.ts').bundleFunctions(serverless, (line) => log.notice(line)),
    };
  }
};
