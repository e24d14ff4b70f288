import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { envExample, readEnvFile } from '../support/env-example.ts';

const file = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

test('.env.example is as the table of settings is now: npm run readme writes it anew', () => {
  expect(file).toBe(envExample());
});

test('.env.example names every setting once', () => {
  const names = Object.values(settings).map(({ name }) => name);
  const mentioned = file.split('\n').flatMap((line) => /^#?([A-Z_]+)=/.exec(line)?.[1] ?? []);
  expect(mentioned.sort()).toEqual(names.sort());
});

test.each([false, true])(
  '.env.example comes to the defaults (what is commented out taken in as well: %s)',
  (commented) => {
    const { DATABASE_URL, ...env } = readEnvFile(file, { commented });
    expect(readConfig(env)).toEqual(readConfig({}));
    expect(readConfig({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
  },
);
