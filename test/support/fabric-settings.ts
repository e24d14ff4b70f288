// Settings of a fabric as a claim hands them out, for tests that care for one or two of them.

import type { FabricSettings } from '../../src/ports/store.ts';

export function settingsOf(settings: Partial<FabricSettings> = {}): FabricSettings {
  return {
    fabricId: '7',
    name: 'lab',
    server: 'https://172.30.0.1:6443',
    caPem: '',
    tlsServerName: '',
    namespace: 'default',
    credential: { kind: 'none' },
    kindsAdded: [],
    kindsRemoved: [],
    guardShare: 0.2,
    guardCount: 10,
    clusterUid: null,
    approval: null,
    approved: false,
    ...settings,
  };
}
