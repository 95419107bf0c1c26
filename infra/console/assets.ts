import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { buildSync, transformSync } from 'esbuild';

/** Where the console lies below the root of its server. */
export const PREFIX = '/_tributary/';

const PAGE = new URL('./page/', import.meta.url);

/** Where esbuild would write: it names its files by it, and writes none. */
const OUTPUT_FOLDER = fileURLToPath(PAGE);

/** A file as the browser gets it. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** By Brotli, which every browser takes from a loopback address. */
  readonly compressed: Buffer;
  readonly etag: string;
}

/** The module that everything else of the page is imported by. */
const MAIN = 'main.mjs';

const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** What the browser gets of the page. */
export interface Assets {
  /** By their path below {@link PREFIX}: the page itself, its modules as one, and what that loads later. */
  readonly files: ReadonlyMap<string, Asset>;
  /** The rules that the browser holds the page to: nothing from elsewhere, nothing inline but the page's own styles. */
  readonly contentSecurityPolicy: string;
}

/**
 * The page as few files: its modules are bundled here, in memory, and its styles stand in it. A browser asks for six files
 * at once, and paints nothing before it has the styles.
 */
export function readAssets(): Assets {
  const css = minifiedStyles();
  const html = read('page.html').replace('<!-- styles -->', `<style>${css}</style>`);
  return {
    files: new Map([['', asset('text/html; charset=utf-8', Buffer.from(html))], ...bundledModules()]),
    contentSecurityPolicy: [
      "default-src 'none'",
      "script-src 'self'",
      `style-src 'sha256-${createHash('sha256').update(css).digest('base64')}'`,
      "connect-src 'self'",
      "img-src 'self' data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

const read = (name: string): string => readFileSync(new URL(name, PAGE), 'utf8');

/** Styles of the page and of its charts. */
function minifiedStyles(): string {
  const css = ['page.css', '../../../node_modules/uplot/dist/uPlot.min.css'].map(read).join('\n');
  return transformSync(css, { loader: 'css', minify: true }).code.trim();
}

/** The modules with the libraries that they import as one file, and in others what they import when it is needed. */
function bundledModules(): [string, Asset][] {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL(MAIN, PAGE))],
    outdir: OUTPUT_FOLDER,
    outExtension: { '.js': '.mjs' },
    ...{ bundle: true, splitting: true, format: 'esm', minify: true, write: false, logLevel: 'error' },
  });
  return outputFiles.map(({ path, contents }) => [basename(path), asset(JAVASCRIPT, Buffer.from(contents))]);
}

function asset(type: string, body: Buffer): Asset {
  const compressed = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { type, body, compressed, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
