// How a fabric's settings are shown: never with a secret, also not with one that somebody wrote into the address.

import { formatIso } from '../clock.ts';
import { formatDuration } from '../duration.ts';
import { redactUrl } from '../kube/address.ts';
import { keyIdOf } from '../kube/sealing.ts';
import { readCertificates } from '../kube/tls.ts';
import type { FabricRecord } from '../ports/fabric-settings.ts';
import type { StoredCredential } from '../ports/store.ts';
import { wholeSpan } from './span.ts';
import type { Cell } from './table.ts';

/** The names are those of the table, as its predecessor has them. */
export function fabricDocument(record: FabricRecord): object {
  return {
    id: record.fabricId,
    name: record.name,
    description: record.description,
    kubernetes_server: redactUrl(record.server),
    tls_server_name: record.tlsServerName,
    ca: caOf(record.caPem),
    kubernetes_namespace: record.namespace,
    credential: {
      ...credentialDocument(record.credential),
      given: record.credentialGivenMs === null ? null : formatIso(record.credentialGivenMs),
    },
    sync_enabled: record.syncEnabled,
    scheduler_enabled: record.schedulerEnabled,
    sync_interval: record.intervalSeconds,
    kinds_added: record.kindsAdded,
    kinds_removed: record.kindsRemoved,
    guard_share: record.guardShare,
    guard_count: record.guardCount,
    created: formatIso(record.createdMs),
    last_updated: formatIso(record.lastUpdatedMs),
  };
}

function credentialDocument(credential: StoredCredential): object {
  switch (credential.kind) {
    case 'none':
      return { kind: 'none', ref: null, key_id: null };
    case 'sealed':
      return { kind: 'sealed', ref: null, key_id: keyIdOf(credential.sealed) };
    case 'ref':
      // `file`, `credential` or `kubeconfig`: the schema lets nothing else in.
      return { kind: credential.ref.split(':', 1)[0] ?? '', ref: credential.ref, key_id: null };
  }
}

/** What kind of credential it is, in a word. */
export function credentialWord(credential: StoredCredential): string {
  if (credential.kind === 'ref') return credential.ref;
  return credential.kind;
}

/** @param keyIds of the keys that this host has, the one that seals first */
export function fabricFacts(
  record: FabricRecord,
  keyIds: readonly string[],
  nowMs: number,
): (readonly [label: string, value: Cell])[] {
  const ca = caOf(record.caPem);
  const kinds = [...record.kindsAdded.map((kind) => `+${kind}`), ...record.kindsRemoved.map((kind) => `-${kind}`)];
  return [
    ['number', record.fabricId],
    ['name', record.name],
    ['description', record.description || null],
    ['server', redactUrl(record.server) || { text: 'not set', colour: 'yellow' }],
    ['TLS server name', record.tlsServerName || 'as in the URL'],
    ['CA', caCell(ca)],
    ['namespace', record.namespace],
    ['credential', credentialCell(record.credential, keyIds)],
    ['credential given', givenCell(record, nowMs)],
    ['sync', syncWords(record)],
    ['kinds', kinds.length === 0 ? 'the default ones' : `the default ones, ${kinds.join(', ')}`],
    [
      'deletion guard',
      `more than ${percent(record.guardShare)} and more than ${record.guardCount} objects wait for a person`,
    ],
    ['created', formatIso(record.createdMs)],
    ['last updated', formatIso(record.lastUpdatedMs)],
  ];
}

function caCell(ca: ReturnType<typeof caOf>): Cell {
  if (ca === null) return 'none: the system’s authorities are trusted';
  if (ca.certificates === 0) return { text: 'cannot be read', colour: 'red' };
  return `${ca.subject}, until ${ca.valid_until}, SHA-256 ${ca.sha256}`;
}

/** How old it is: a person gave it then, another seal around it is no new one. */
function givenCell({ credential, credentialGivenMs: givenMs }: FabricRecord, nowMs: number): Cell {
  if (credential.kind === 'none') return null;
  if (givenMs === null) return 'before this was written down';
  return `${formatIso(givenMs)} (${wholeSpan(Math.max(0, nowMs - givenMs))} ago)`;
}

/** When it syncs, in a few words. */
export function syncWords({ syncEnabled, schedulerEnabled, intervalSeconds }: FabricRecord): string {
  if (!syncEnabled) return 'disabled';
  if (!schedulerEnabled) return 'manual only (scheduler off)';
  if (intervalSeconds === 0) return 'manual only (interval 0)';
  return `every ${formatDuration(intervalSeconds * 1_000)}`;
}

export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

function credentialCell(credential: StoredCredential, keyIds: readonly string[]): Cell {
  if (credential.kind === 'none') return { text: 'none', colour: 'yellow' };
  if (credential.kind === 'ref') return `${credential.ref}, read at each run`;
  const sealedBy = keyIdOf(credential.sealed) ?? 'unknown';
  const words = `sealed with the key ${sealedBy}`;
  const [seals] = keyIds;
  if (seals === undefined) return words;
  if (seals === sealedBy) return `${words}, which is here`;
  if (keyIds.includes(sealedBy)) return `${words}, an older one that is here: fabric-syncd key rotate`;
  return { text: `${words}; the key here is ${seals}`, colour: 'red' };
}

function caOf(pem: string): { subject: string; valid_until: string; sha256: string; certificates: number } | null {
  if (pem === '') return null;
  let certificates: ReturnType<typeof readCertificates>;
  try {
    certificates = readCertificates(pem, 'the stored CA');
  } catch {
    // Written by other means than ours: to be shown all the same.
    certificates = [];
  }
  const [first] = certificates;
  if (!first) return { subject: 'not readable', valid_until: '', sha256: '', certificates: 0 };
  return {
    subject: first.subject.replaceAll('\n', ', '),
    valid_until: formatIso(first.validToDate.getTime()),
    sha256: first.fingerprint256,
    certificates: certificates.length,
  };
}
