// osls reads variables from .cjs and not from .ts: this is the door to stack-of.ts.
module.exports = ({ resolveVariable }) => {
  if (Number.parseInt(process.versions.node, 10) >= 24) return require('./stack-of.ts').stackOf(resolveVariable);
  throw Object.assign(new Error('Run osls on Node 24: `npx serverless` takes the one in node_modules.'), { stack: '' });
};
