import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

/** Where the console lies below the root of its server. */
export const PREFIX = '/_tributary/';

const PAGE = new URL('./page/', import.meta.url);
const MODULES = new URL('../../node_modules/', import.meta.url);

/** A file as the browser gets it. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** By Brotli, which every browser takes from a loopback address. */
  readonly compressed: Buffer;
  readonly etag: string;
}

/** What the page imports by name, and the file in node_modules that it is. */
const LIBRARIES: Readonly<Record<string, string>> = {
  htm: 'htm/dist/htm.mjs',
  preact: 'preact/dist/preact.mjs',
  'preact/hooks': 'preact/hooks/dist/hooks.mjs',
  uplot: 'uplot/dist/uPlot.iife.min.js',
};

/** Modules of the page. Only what is named here is served: a path of a request never becomes that of a file. */
const PAGE_MODULES = [
  ...['main.mjs', 'live.mjs', 'ask.mjs', 'parts.mjs', 'chart.mjs', 'actions.mjs'],
  ...['flow', 'record', 'features', 'trainings', 'curves', 'quarantine', 'query', 'predict'].map(
    (it) => `pages/${it}.mjs`,
  ),
];

/** Modules that the browser may load at once, and not one after the other as they import each other. */
const PRELOADED = [...PAGE_MODULES, ...['htm', 'preact', 'preact/hooks'].map(libraryPath)];

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

const IMPORT_MAP = JSON.stringify({
  imports: Object.fromEntries(Object.keys(LIBRARIES).map((name) => [name, `${PREFIX}${libraryPath(name)}`])),
});

/** The rules that the browser holds the page to: nothing from elsewhere, nothing inline but the import map. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash('sha256').update(IMPORT_MAP).digest('base64')}'`,
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** All files of the page, by their path below {@link PREFIX}; read and compressed once. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const page = (name: string) => readFileSync(new URL(name, PAGE));
  const html = page('page.html')
    .toString()
    .replace('<!-- import map -->', `<script type="importmap">${IMPORT_MAP}</script>`)
    .replace('<!-- preloads -->', PRELOADED.map((file) => `<link rel="modulepreload" href="${file}">`).join(''));
  return new Map([
    ['', asset('text/html; charset=utf-8', Buffer.from(html))],
    ['page.css', asset(CSS, page('page.css'))],
    ['uplot.css', asset(CSS, readFileSync(new URL('uplot/dist/uPlot.min.css', MODULES)))],
    ...PAGE_MODULES.map((name) => [name, asset(JAVASCRIPT, page(name))] as const),
    ...Object.entries(LIBRARIES).map(
      ([name, file]) => [libraryPath(name), asset(JAVASCRIPT, library(name, file))] as const,
    ),
  ]);
}

function libraryPath(name: string): string {
  return `lib/${name.replace('/', '-')}.mjs`;
}

/** uPlot's small file is a script that declares a variable; as a module it has to export it. */
function library(name: string, file: string): Buffer {
  const text = readFileSync(new URL(file, MODULES));
  return name === 'uplot' ? Buffer.concat([text, Buffer.from('\nexport default uPlot;\n')]) : text;
}

function asset(type: string, body: Buffer): Asset {
  const compressed = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { type, body, compressed, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
