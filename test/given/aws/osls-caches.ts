const { NODE_COMPILE_CACHE = '', SLS_SCHEMA_CACHE_BASE_DIR = '' } = process.env;

/** What osls takes seconds to compile, modules and the schema of serverless.yml, for processes with an environment of their own. */
export const OSLS_CACHES = { NODE_COMPILE_CACHE, SLS_SCHEMA_CACHE_BASE_DIR };
