import { readFileSync } from 'node:fs';

const read = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8');

/** A server's certificate for 127.0.0.1, signed by itself, and its key, which protects nothing but these tests. */
export const LOOPBACK_TLS = { cert: read('certificate'), key: read('key') };
