// What makes a simulated fabric the same one when it is started again: its CA, its token, its port, its age.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCa, type KeyedCertificate } from './certificates.ts';
import { isJsonObject, type Json } from './json.ts';

export interface Identity {
  readonly ca: KeyedCertificate;
  readonly token: string;
  /** 0 until it has listened once. */
  readonly port: number;
  /** Epoch milliseconds: how old the cluster says that it is. */
  readonly createdMs: number;
}

const fabricAgeMs = 41 * 24 * 60 * 60_000;
const file = 'identity.json';

export const caNameOf = (fabricName: string): string => `k3s-server-ca@${fabricName}`;

export function newIdentity(name: string, nowMs: number): Identity {
  return {
    ca: createCa(caNameOf(name), nowMs),
    token: `demo-${randomBytes(24).toString('base64url')}`,
    port: 0,
    createdMs: nowMs - fabricAgeMs,
  };
}

/** @returns what the folder remembers; null where it remembers nothing that can be read */
export async function readIdentity(folder: string): Promise<Identity | null> {
  let fields: Json;
  try {
    fields = JSON.parse(await readFile(join(folder, file), 'utf8'));
  } catch {
    return null;
  }
  if (!isJsonObject(fields)) return null;
  const { certPem, keyPem, token, port, createdMs } = fields;
  if (typeof certPem !== 'string' || typeof keyPem !== 'string' || typeof token !== 'string') return null;
  if (typeof port !== 'number' || typeof createdMs !== 'number') return null;
  return { ca: { certPem, keyPem }, token, port, createdMs };
}

/** Whole or not at all, and for nobody else to read. */
export async function writeIdentity(folder: string, { ca, token, port, createdMs }: Identity): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file);
  await writeFile(`${path}.new`, JSON.stringify({ ...ca, token, port, createdMs }, null, 2), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
