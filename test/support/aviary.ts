// Secrets that sing where they are seen: each is a canary of its own, and what was said or stored is searched for all of
// them, plain and in the shapes that a program turns a secret into by itself.

import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { expect } from 'vitest';
import { meddler } from './redis.ts';

/** A secret that stands nowhere else; it can be a token, a password or a header. */
export const canary = (): string => `canary${randomBytes(18).toString('hex')}`;

export class Aviary {
  readonly #canaries = new Map<string, string>();
  readonly #said: { readonly where: string; readonly text: string }[] = [];

  /** @returns the secret itself */
  add(what: string, secret: string): string {
    const bytes = Buffer.from(secret);
    const shapes = {
      plain: secret,
      base64: bytes.toString('base64').replace(/=+$/, ''),
      'a URL’s base64': bytes.toString('base64url'),
      hex: bytes.toString('hex'),
      'a URL’s': encodeURIComponent(secret),
      'JSON’s': JSON.stringify(secret).slice(1, -1),
    };
    for (const [shape, text] of Object.entries(shapes)) {
      if (!this.#canaries.has(text)) this.#canaries.set(text, `${what}, ${shape}`);
    }
    return secret;
  }

  /** Of a PEM: each of its lines, as none may be seen alone either. */
  addPem(what: string, pem: string): string {
    for (const line of pem.split('\n')) if (line.length > 20 && !line.startsWith('-')) this.add(what, line);
    return pem;
  }

  listen(where: string, text: string): void {
    this.#said.push({ where, text });
  }

  /** How much was listened to, in characters, by where. */
  get said(): ReadonlyMap<string, number> {
    const lengths = new Map<string, number>();
    for (const { where, text } of this.#said) lengths.set(where, (lengths.get(where) ?? 0) + text.length);
    return lengths;
  }

  /** `<what> in <where>` for each that was heard. */
  heard(): readonly string[] {
    return this.#said.flatMap(({ where, text }) =>
      [...this.#canaries].flatMap(([secret, what]) => (text.includes(secret) ? [`${what}, in ${where}`] : [])),
    );
  }
}

/** The URL with another password in it; it must name a user. */
export function withPassword(url: string, password: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^:@/]+)(?::[^@/]*)?@/, `$1:${password}@`);
}

/** Every row of every table. */
export async function dumpDatabase(sql: Sql): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'`;
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await sql<{ text: string }[]>`select t::text as text from ${sql(name)} t`;
      return rows.map(({ text }) => text).join('\n');
    }),
  );
  expect(texts.join('').length, 'the dump holds an inventory').toBeGreaterThan(10_000);
  return texts.join('\n');
}

/** Every key with what it holds, and who is connected. */
export async function dumpRedis(url: string): Promise<string> {
  const client = await meddler(url);
  try {
    const keys = await client.keys('*');
    const values = await Promise.all(
      keys.map(async (key) => {
        const type = await client.type(key);
        if (type === 'hash') return JSON.stringify(await client.hgetall(key));
        if (type === 'zset') return JSON.stringify(await client.zrange(key, '0', '-1'));
        return String(await client.get(key));
      }),
    );
    return [...keys, ...values, await client.client('LIST')].join('\n');
  } finally {
    client.disconnect();
  }
}
