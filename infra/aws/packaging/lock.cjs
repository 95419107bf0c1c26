// osls loads plugins by require. What is checked is in lock.ts.
module.exports = class Lock {
  constructor(serverless, _options, { log }) {
    this.hooks = {
      'before:package:initialize': async () => require('./lock.ts').checkLock(serverless, (line) => log.notice(line)),
    };
  }
};
