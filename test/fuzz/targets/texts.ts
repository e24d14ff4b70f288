// What people and other programs write into one line: durations, addresses, references, keys, tokens, payloads.

import { readTraceparent } from '../../../otel/traceparent.ts';
import { plain } from '../../../src/cli/plain-text.ts';
import { formatDuration, parseDuration, parseSize } from '../../../src/duration.ts';
import { readInspectorAddress } from '../../../src/inspector/address.ts';
import { readServerUrl, redactUrl } from '../../../src/kube/address.ts';
import { readRetryAfter } from '../../../src/kube/answers.ts';
import { readRef } from '../../../src/kube/credentials.ts';
import { readKey } from '../../../src/kube/sealing.ts';
import { readToken } from '../../../src/kube/token.ts';
import { parseDatabaseUrl } from '../../../src/postgres/address.ts';
import { readRedisUrl } from '../../../src/redis/address.ts';
import { readPayload, writePayload } from '../../../src/redis/payload.ts';
import { refusals, type Target } from '../target.ts';

const password = 'c4n4ry-p4ssw0rd';

/** A reader throws words of its own where a library of the language would: then it is the caller who puts them right. */
const readers: readonly ((text: string) => unknown)[] = [
  (text) => {
    const ms = parseDuration(text);
    if (parseDuration(formatDuration(ms)) !== ms) throw new Error(`${ms} ms is written as another duration`);
  },
  parseSize,
  readServerUrl,
  readRef,
  readKey,
  readInspectorAddress,
  (text) => readToken(text, 'the token'),
  (text) => readTraceparent(text),
  (text) => readRetryAfter(text, 0),
  (text) => {
    const timer = readPayload('7', text);
    const again = timer && readPayload('7', writePayload(timer));
    if (JSON.stringify(timer) !== JSON.stringify(again)) throw new Error('a payload is written as another one');
  },
];

/** These throw plain errors, which their callers put into words: none may hold the text, which may hold a password. */
const careful: readonly ((text: string) => unknown)[] = [readRedisUrl, parseDatabaseUrl];

export const texts: Target = {
  name: 'texts',
  about: 'durations, sizes, addresses, references, keys, tokens, timer payloads',
  seeds: [
    ...['30s', '1h30m', '0', '10y', '64MiB', '-1', '2026-01-02T03:04:05Z', '03:12', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    ...[
      'https://10.0.0.1:6443',
      'https://[fe80::1]:6443/k8s/',
      'https://user:secret@host',
      'file:/a/b',
      'credential:lab',
    ],
    ...[
      'kubeconfig:/a#b',
      '127.0.0.1:9190',
      'unix:/run/x',
      'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
      'eyJhbGci.x.y',
    ],
    ...[
      'postgres://u:p@h:5432/d?sslmode=verify-full',
      'redis://:p@h:6379/1',
      'rediss://h',
      '{"kind":"sync","due":17,"v":1}',
    ],
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ],
  async open() {
    return {
      async run(input) {
        const text = input.toString('utf8');
        for (const read of readers) await refusals(() => read(text));
        for (const read of careful) {
          try {
            read(text.replace('secret', password));
          } catch (thrown) {
            if (!(thrown instanceof Error)) throw new Error('something other than an error was thrown');
            if (thrown.message.includes(password)) throw new Error(`the password is told: ${thrown.message}`);
          }
        }
        if (redactUrl(text.replace('secret', password)).includes(`:${password}@`)) throw new Error('a login is told');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not be steered
        if (/[\u0000-\u001f\u007f-\u009f\u202e]/.test(plain(text))) throw new Error('a text steers the terminal');
      },
      async close() {},
    };
  },
};
