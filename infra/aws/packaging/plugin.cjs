// osls loads plugins by require, of .cjs and not of .ts: this is the door to plugin.ts.
module.exports = require('./plugin.ts').Plugin;
