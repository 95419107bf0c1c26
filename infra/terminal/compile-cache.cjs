// Loaded before a command that starts the local cloud. Node keeps what it has compiled, for all threads: one that finds
// its modules there does not load the compiler of TypeScript, which takes some 17 MB of each.
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');

process.env.NODE_COMPILE_CACHE ??= join(__dirname, '../../node_modules/.cache/compiled');
enableCompileCache(process.env.NODE_COMPILE_CACHE);
