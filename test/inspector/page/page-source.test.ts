// What the page's own files may not do, whoever edits them: the policy of the server would stop some of it in the browser,
// and this stops all of it before.

import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPageFiles } from '../../../src/inspector/page-files.ts';

const { files, index, inlineScripts } = readPageFiles();
const own = [...files]
  .filter(([url]) => !url.startsWith('/assets/vendor/'))
  .map(([url, { body }]) => [url, String(body)] as const);
const scripts = own.filter(([url]) => url.endsWith('.js'));

/** Lines of these files that this is found in. */
const found = (pattern: RegExp, where: readonly (readonly [string, string])[] = own) =>
  where.flatMap(([url, text]) =>
    text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${url}:${at + 1}: ${line.trim()}`] : [])),
  );

describe('the source of the page', () => {
  test('puts nothing in as markup, and makes no code of text', () => {
    expect(
      found(
        /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|srcdoc/,
      ),
    ).toEqual([]);
  });

  test('names no other host', () => {
    const svgName = 'http://www.w3.org/2000/svg';
    expect(
      found(
        /\bhttps?:\/\/\w|["'(]\/\/\w/,
        own.map(([url, text]) => [url, text.replaceAll(svgName, '')]),
      ),
    ).toEqual([]);
  });

  test('has no script and no style between its tags', () => {
    expect(inlineScripts).toEqual([]);
    expect(String(index.body)).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });

  test('reads the clock and makes timers in one file only', () => {
    const others = scripts.filter(([url]) => url !== '/assets/server-clock.js');
    expect(found(/Date\.now\(|new Date\(\)|performance\.now\(|setTimeout\(|setInterval\(/, others)).toEqual([]);
  });

  test('keeps nothing in the browser, where it would outlive the session, but for the key that ends with it', () => {
    const others = own.filter(([url]) => url !== '/assets/session-key.js');
    expect(found(/localStorage|sessionStorage|indexedDB|document\.cookie|serviceWorker/, others)).toEqual([]);
  });

  test('imports nothing that is not served, and links nothing that is not there', () => {
    const missing = scripts.flatMap(([url, text]) =>
      [...text.matchAll(/^import (?:[^'"]*? from )?'([^']+)';/gms)]
        .map(([, specifier = '']) => posix.resolve(posix.dirname(url), specifier))
        .filter((target) => !files.has(target))
        .map((target) => `${url} imports ${target}`),
    );
    expect(missing).toEqual([]);
    const linked = [...String(index.body).matchAll(/(?:href|src)="([^"]+)"/g)].map(([, target = '']) => target);
    expect(linked.filter((target) => !files.has(target))).toEqual([]);
  });

  test('is reached from the start: no file lies about', () => {
    const text = scripts.map(([, each]) => each).join('\n') + String(index.body);
    const idle = own
      .map(([url]) => posix.basename(url))
      .filter((name) => name !== 'index.html' && !text.includes(name));
    expect(idle).toEqual([]);
  });

  test('its types are checked with the others', () => {
    const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    expect((JSON.parse(manifest) as { scripts: { check: string } }).scripts.check).toContain('-p src/inspector/page');
  });
});
