// What the page is made of, as one table: which URL is which file. The page's own files lie in `page/`; a library is one
// ESM file of its package, served as it was published. All are read once, at the start.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** URL -> package and the file in it. */
export const libraries: Readonly<Record<string, readonly [name: string, file: string]>> = {
  '/assets/vendor/preact.js': ['preact', 'dist/preact.mjs'],
  '/assets/vendor/htm.js': ['htm', 'dist/htm.mjs'],
  '/assets/vendor/dagre.js': ['@dagrejs/dagre', 'dist/dagre.esm.js'],
};

/** The file that every page of the inspector is. */
export const indexFile = 'index.html';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
  woff2: 'font/woff2',
};
/** In the page's folder for whoever works on it, and for nobody else. */
const notServed = /(?:^|\/)(?:tsconfig\.json|.*\.d\.ts|.*\.md)$/;

export interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  /** Quoted, as it stands in `etag`. */
  readonly etag: string;
}

export interface PageFiles {
  /** URL -> file: `/assets/…`. */
  readonly files: ReadonlyMap<string, PageFile>;
  readonly index: PageFile;
  /** Of its inline scripts (an import map has to be one), as a policy names them: `'sha256-…'`. */
  readonly inlineScripts: readonly string[];
}

/** @throws Error where one is missing: an installation that is not whole */
export function readPageFiles(): PageFiles {
  const folder = new URL('page/', import.meta.url);
  const files = new Map<string, PageFile>();
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = types[entry.split('.').at(-1) ?? ''];
    if (type === undefined || notServed.test(entry)) continue;
    files.set(`/assets/${entry}`, pageFile(readFileSync(new URL(entry, folder)), type));
  }
  for (const [url, [name, file]] of Object.entries(libraries)) {
    const manifest = findPackageJSON(name, import.meta.url);
    if (manifest === undefined) throw new Error(`the package ${name} is not installed: run npm install`);
    files.set(url, pageFile(readFileSync(manifest.replace(/package\.json$/, file)), types.js ?? ''));
  }
  const index = files.get(`/assets/${indexFile}`);
  if (!index) throw new Error(`the inspector's page has no ${indexFile}`);
  const inline = [...index.body.toString('utf8').matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)];
  const inlineScripts = inline.map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  return { files, index, inlineScripts };
}

function pageFile(body: Buffer, type: string): PageFile {
  return { body, type, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}
