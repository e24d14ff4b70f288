// From the options of `fabric add` and `fabric set` to the address and the credential of a fabric.
//
//   W1. No secret is ever an argument: every user of the host reads the list of processes.
//   W2. What is read here is checked here: nothing that cannot work is stored.

import { resolve } from 'node:path';
import { FabricFailure, hintByCode } from '../../machines/fabric/failure.ts';
import type { Config } from '../config.ts';
import { credentialSources, readSealingKey } from '../host-credentials.ts';
import { readServerUrl } from '../kube/address.ts';
import { openCredential, readRef, readTokenFile, sealCredential } from '../kube/credentials.ts';
import { readKubeconfig } from '../kube/kubeconfig.ts';
import { readSmallFile, smallFileLimitsDefault } from '../kube/small-file.ts';
import { certificatesOnly } from '../kube/tls.ts';
import { readToken } from '../kube/token.ts';
import type { Credential } from '../ports/fabric-api.ts';
import type { CredentialToStore, FabricSettingsValues } from '../ports/fabric-settings.ts';
import { CliFailure, usageFailure } from './cli-failure.ts';
import type { FabricOptions } from './fabric-options.ts';
import type { World } from './world.ts';

export interface WayIn {
  readonly values: Partial<Pick<FabricSettingsValues, 'server' | 'caPem' | 'tlsServerName'>>;
  readonly credential: GivenCredential | null;
  /** The kubeconfig’s context is in another namespace than fabrics are by default. */
  readonly otherNamespace: string | null;
}

export interface GivenCredential {
  readonly store: CredentialToStore;
  /** The credential itself, to test it with. */
  open(): Promise<Credential>;
}

/** @throws CliFailure or FabricFailure */
export async function readWayIn(options: FabricOptions, config: Config, world: World): Promise<WayIn> {
  if (options.kubeconfig === undefined) {
    if (options.context !== undefined) throw usageFailure('--context is of no use without --kubeconfig');
    if (options.byReference) throw usageFailure('--by-reference is of no use without --kubeconfig');
  }
  try {
    return await readFiles(options, config, world);
  } catch (thrown) {
    throw readHere(thrown);
  }
}

/** What is wrong with a file that was named here: the hints are written for what a daemon reads, again and again. */
function readHere(thrown: unknown): unknown {
  if (!(thrown instanceof FabricFailure)) return thrown;
  const { code, message, facts } = thrown;
  const hint =
    facts?.path !== undefined
      ? 'It is read now, by you: look at the path, and at who may read it.'
      : 'Correct the file, or name another one.';
  const isDaemons = thrown.hint === hintByCode[code] || facts?.path !== undefined;
  return isDaemons ? new CliFailure('usage', code, message, { hint }) : thrown;
}

async function readFiles(options: FabricOptions, config: Config, world: World): Promise<WayIn> {
  const given = await givenDirectly(options, world);
  if (options.kubeconfig === undefined) {
    return { values: given, credential: await readCredential(options, config, world), otherNamespace: null };
  }
  const path = resolve(world.cwd, options.kubeconfig);
  const found = await readKubeconfig(path, options.context ?? null);
  const credential = options.byReference
    ? byReference(`kubeconfig:${path}#${found.context}`, config)
    : sealed(found.credential, config);
  return {
    values: {
      server: found.server,
      caPem: found.caPem === null ? '' : certificatesOnly(found.caPem, `the CA in ${path}`),
      tlsServerName: found.tlsServerName ?? '',
      ...given,
    },
    credential,
    otherNamespace: found.namespace !== null && found.namespace !== 'default' ? found.namespace : null,
  };
}

async function givenDirectly(options: FabricOptions, world: World): Promise<WayIn['values']> {
  const { server, caFile, tlsServerName } = options;
  let caPem: string | undefined;
  if (caFile !== undefined) {
    const path = resolve(world.cwd, caFile);
    caPem = certificatesOnly(await readSmallFile(path, 'the CA file'), `the CA file ${path}`);
  }
  return {
    ...(server !== undefined && { server: readServerUrl(server).href }),
    ...(caPem !== undefined && { caPem }),
    ...(tlsServerName !== undefined && { tlsServerName }),
  };
}

async function readCredential(options: FabricOptions, config: Config, world: World): Promise<GivenCredential | null> {
  if (options.tokenRef !== undefined) return byReference(options.tokenRef, config);
  if (options.tokenFile === undefined) return null;
  if (options.tokenFile !== '-') {
    return sealed(await readTokenFile(resolve(world.cwd, options.tokenFile), 'the token file'), config);
  }
  if (world.isTerminal.stdin) {
    throw usageFailure(
      'standard input is a terminal, which would show the token',
      'Pipe it: kubectl … get secret fabric-syncd -o jsonpath={.data.token} | base64 -d | fabric-syncd fabric add …',
    );
  }
  return sealed(
    { kind: 'token', token: readToken(await readInput(world.stdin), 'the token on standard input') },
    config,
  );
}

/** All of standard input, as far as a file may be long: a pipe has no end that could be seen beforehand. */
async function readInput(stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.byteLength;
    if (size > smallFileLimitsDefault.bytesMax) throw usageFailure('standard input is too long to be a token');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function byReference(ref: string, config: Config): GivenCredential {
  readRef(ref);
  return {
    store: { kind: 'ref', ref },
    open: async () => openCredential({ kind: 'ref', ref }, { id: '', name: 'the fabric' }, credentialSources(config)),
  };
}

function sealed(credential: Credential, config: Config): GivenCredential {
  const key = readSealingKey(config);
  if (key === null) {
    throw new CliFailure('settings', 'KEY_MISSING', 'there is no key to seal the credential with', {
      hint:
        'Make one with (umask 077; fabric-syncd key generate > FILE) and set FABRIC_SYNCD_KEY_FILE=FILE, for the daemon ' +
        'as well; or store no secret: --token-ref file:PATH.',
    });
  }
  return {
    store: { kind: 'seal', seal: (fabricId) => sealCredential(key, fabricId, credential) },
    open: async () => credential,
  };
}
