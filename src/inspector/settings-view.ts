// How a fabric is set, for people who look: a credential is named, never shown.

import { formatIso } from '../clock.ts';
import { redactUrl } from '../kube/address.ts';
import type { SettingsRead } from '../ports/inspector-reads.ts';
import type { StoredCredential } from '../ports/store.ts';
import type { SettingsDocument } from './documents.ts';

export function settingsDocument(read: SettingsRead, clusterUid: string | null): SettingsDocument {
  return {
    description: read.description,
    kubernetes_server: redactUrl(read.server),
    kubernetes_namespace: read.namespace,
    tls_server_name: read.tlsServerName,
    ca: read.caPem === '' ? 'system' : 'own',
    credential: {
      ...credentialDocument(read.credential),
      given: read.credentialGivenMs === null ? null : formatIso(read.credentialGivenMs),
    },
    sync_enabled: read.syncEnabled,
    scheduler_enabled: read.schedulerEnabled,
    sync_interval: read.intervalSeconds,
    kinds_added: read.kindsAdded,
    kinds_removed: read.kindsRemoved,
    guard_share: read.guardShare,
    guard_count: read.guardCount,
    cluster_uid: clusterUid,
    created: formatIso(read.createdMs),
    last_updated: formatIso(read.lastUpdatedMs),
  };
}

function credentialDocument(credential: StoredCredential): Omit<SettingsDocument['credential'], 'given'> {
  switch (credential.kind) {
    case 'none':
    case 'sealed':
      return { kind: credential.kind, ref: '' };
    case 'ref': {
      const kind = credential.ref.split(':', 1)[0];
      // The schema lets nothing else in.
      if (kind !== 'file' && kind !== 'credential' && kind !== 'kubeconfig') return { kind: 'file', ref: '' };
      return { kind, ref: credential.ref };
    }
  }
}
