// Kubeconfig files, as far as a daemon can use them.
//
//   C1. What would make a connection less safe than it looks, or needs a program or a person, is refused in words;
//       nothing that changes whom we are or whom we speak to is skipped silently.
//   C2. A value given inline counts before one in a file, as kubectl has it. Paths are relative to the kubeconfig.
//   C3. No failure holds a line of the file: a line may be a secret.

import { dirname, resolve } from 'node:path';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';
import type { Credential } from '../ports/fabric-api.ts';
import { readServerUrl } from './address.ts';
import { asArray, asObject, asText, type Json } from './body.ts';
import { assertKeyPair } from './key-pair.ts';
import { readSmallFile, type SmallFileLimits, smallFileLimitsDefault } from './small-file.ts';
import { readCertificates } from './tls.ts';
import { assertToken, readToken } from './token.ts';

/** Reading YAML blocks everybody else: some 10 s a MiB were seen, for what is legal. Twenty clusters with certificates fit. */
const bytesMax = 128 * 1024;

/** One context of a kubeconfig: everything that reaching the fabric needs. */
export interface Kubeconfig {
  readonly context: string;
  readonly server: string;
  readonly caPem: string | null;
  readonly tlsServerName: string | null;
  /** Of the context; null where it names none. */
  readonly namespace: string | null;
  readonly credential: Credential;
}

/**
 * Reads one context of a kubeconfig, and the files that it names.
 *
 * @param context null: the file's `current-context`
 * @throws FabricFailure `SETTINGS_INVALID` for what the file says, `CREDENTIAL_UNREADABLE` for files that cannot be read
 */
export async function readKubeconfig(
  path: string,
  context: string | null,
  limits: SmallFileLimits = smallFileLimitsDefault,
): Promise<Kubeconfig> {
  const refuse = (words: string, hint?: string): never => {
    throw new FabricFailure('SETTINGS_INVALID', `the kubeconfig ${path} ${words}`, hint === undefined ? {} : { hint });
  };
  const bounded = { ...limits, bytesMax: Math.min(limits.bytesMax, bytesMax) };
  const root = parse(await readSmallFile(path, 'the kubeconfig', bounded), refuse);
  const wanted = context ?? asText(root['current-context']);
  if (wanted === null) return refuse('has no current-context: name one with --context');
  const chosen = entryOf(root, 'contexts', 'context', wanted, refuse);
  const clusterName = asText(chosen.cluster) ?? refuse(`: the context ${quote(wanted)} names no cluster`);
  const userName = asText(chosen.user) ?? refuse(`: the context ${quote(wanted)} names no user`);
  const cluster = entryOf(root, 'clusters', 'cluster', clusterName, refuse);
  const user = entryOf(root, 'users', 'user', userName, refuse);

  const unverified = cluster['insecure-skip-tls-verify'];
  if (isSet(unverified) && unverified !== false) {
    refuse(
      `: the cluster ${quote(clusterName)} switches TLS verification off (insecure-skip-tls-verify)`,
      'TLS is always verified: put certificate-authority-data there, and tls-server-name where the address is another.',
    );
  }
  if (isSet(cluster['proxy-url'])) refuse(`: the cluster ${quote(clusterName)} needs a proxy, which is not supported`);
  refuseUser(user, userName, refuse);

  const server = readServerUrl(asText(cluster.server) ?? refuse(`: the cluster ${quote(clusterName)} has no server`));
  /** Inline Base64, else a file, else null. */
  const fileOrData = async (owner: Json, key: string): Promise<string | null> => {
    const data = owner[`${key}-data`];
    if (isSet(data)) return decodeBase64(data) ?? refuse(`: ${key}-data is not Base64`);
    const named = asText(owner[key]);
    return named === null ? null : readSmallFile(resolve(dirname(path), named), `the ${key} file`, limits);
  };
  const caPem = await fileOrData(cluster, 'certificate-authority');
  if (caPem !== null) readCertificates(caPem, `the CA in the kubeconfig ${path}`);

  const certPem = await fileOrData(user, 'client-certificate');
  const keyPem = await fileOrData(user, 'client-key');
  const token = await tokenOf(user, path, limits);
  return {
    context: wanted,
    server: server.href,
    caPem,
    tlsServerName: asText(cluster['tls-server-name']),
    namespace: asText(chosen.namespace),
    credential: credentialOf({ certPem, keyPem, token }, userName, path, refuse),
  };
}

type Refuse = (words: string, hint?: string) => never;

function parse(text: string, refuse: Refuse): Json {
  const lines = new LineCounter();
  const notYaml = (code: string, at: number) => refuse(`is not YAML: ${code} in line ${lines.linePos(at).line}`);
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
    merge: false,
    // The library compares each key with all before it.
    uniqueKeys: false,
  });
  const [error] = document.errors;
  if (error) notYaml(error.code, error.pos[0]);
  visit(document, {
    Map(_, { items }) {
      const names = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (names.size === names.add(String(key.value)).size) notYaml('DUPLICATE_KEY', key.range?.[0] ?? 0);
      }
    },
  });
  let root: unknown;
  try {
    // A few aliases are fair; "billion laughs" are not.
    root = document.toJS({ maxAliasCount: 50 });
  } catch {
    refuse('uses too many aliases, or broken ones');
  }
  return asObject(root) ?? refuse('is empty, or no mapping');
}

function entryOf(root: Json, listName: string, key: string, name: string, refuse: Refuse): Json {
  const entries = (asArray(root[listName]) ?? []).map(asObject).filter((entry) => entry !== null);
  const found = entries.find((entry) => entry.name === name);
  if (found === undefined) {
    const names = entries.flatMap((entry) => asText(entry.name) ?? []).map(quote);
    return refuse(
      `has no ${key} ${quote(name)}`,
      names.length > 0 ? `It has: ${oneLine(names.join(', '), 300)}.` : `It has no ${listName} at all.`,
    );
  }
  // `user: null` is how kubectl writes a user without a credential.
  return asObject(found[key]) ?? {};
}

function refuseUser(user: Json, name: string, refuse: Refuse): void {
  const who = `: the user ${quote(name)}`;
  const instead = 'Use a service account’s token instead: fabric-syncd rbac NAME prints one.';
  if (isSet(user.exec))
    refuse(`${who} gets its credential from a program (exec), which a daemon does not run`, instead);
  if (isSet(user['auth-provider'])) refuse(`${who} uses an auth-provider, which is not supported`, instead);
  if (isSet(user.username) || isSet(user.password)) refuse(`${who} has a user name and password`, instead);
  if (Object.keys(user).some((key) => key === 'as' || key.startsWith('as-'))) {
    refuse(`${who} acts as somebody else (as, as-groups), which is not supported`, instead);
  }
}

async function tokenOf(user: Json, path: string, limits: SmallFileLimits): Promise<string | null> {
  const file = asText(user.tokenFile);
  if (file !== null) {
    const tokenPath = resolve(dirname(path), file);
    return readToken(await readSmallFile(tokenPath, 'the token file', limits), `the token file ${tokenPath}`);
  }
  const token = asText(user.token);
  if (token !== null) assertToken(token, `the token in the kubeconfig ${path}`);
  return token;
}

function credentialOf(
  given: { certPem: string | null; keyPem: string | null; token: string | null },
  userName: string,
  path: string,
  refuse: Refuse,
): Credential {
  const { certPem, keyPem, token } = given;
  const who = `: the user ${quote(userName)}`;
  if (token !== null && (certPem !== null || keyPem !== null)) {
    refuse(
      `${who} has a token and a client certificate`,
      'Which of them counts would be a guess: remove one of the two.',
    );
  }
  if (token !== null) return { kind: 'token', token };
  if (certPem === null && keyPem === null) refuse(`${who} has neither a token nor a client certificate`);
  if (certPem === null) return refuse(`${who} has a client-key but no client-certificate`);
  if (keyPem === null) return refuse(`${who} has a client-certificate but no client-key`);
  assertKeyPair(certPem, keyPem, `the client certificate in the kubeconfig ${path}`);
  return { kind: 'client_certificate', certPem, keyPem };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function decodeBase64(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const written = value.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(written)) return null;
  return Buffer.from(written, 'base64').toString('utf8');
}

function quote(text: string): string {
  return JSON.stringify(oneLine(text, 100));
}
