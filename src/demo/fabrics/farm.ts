// Many small fabrics behind one TLS port, told apart by the beginning of the path: for load, where a listener and a CA
// for each would be what is measured. Faults strike as they do in a fabric of its own, except those of the listener.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Dice } from '../../dice.ts';
import { namespaceUid } from './api.ts';
import { issueServerCertificate, localNames, validFrom } from './certificates.ts';
import { Edits } from './edits.ts';
import { Faults } from './faults.ts';
import { caNameOf, newIdentity } from './identity.ts';
import { kindsOf, type Profile } from './kinds.ts';
import { type ConnectionCounts, Listener } from './listener.ts';
import { populate } from './shapes/populate.ts';
import type { ShapeName } from './shapes/shape.ts';
import { Site, type SiteCounts } from './site.ts';
import { ClusterStore } from './store.ts';

export interface FarmOptions {
  readonly count: number;
  /** `tiny` where absent: seven objects. */
  readonly shape?: ShapeName;
  readonly profile?: Profile;
  readonly port?: number;
  readonly clock: Clock;
  readonly dice: Dice;
}

export interface FarmFabric {
  readonly url: string;
  readonly clusterUid: string;
  readonly store: ClusterStore;
  readonly faults: Faults;
  readonly edits: Edits;
  readonly counts: SiteCounts;
}

export interface FabricFarm {
  readonly caPem: string;
  /** The same for all of them. */
  readonly token: string;
  readonly fabrics: readonly FarmFabric[];
  readonly connections: ConnectionCounts;
  stop(): Promise<void>;
}

export async function startFabricFarm(options: FarmOptions): Promise<FabricFarm> {
  const { clock, dice, profile = 'v0.113+', shape = 'tiny' } = options;
  const { ca, createdMs } = newIdentity('farm', clock.nowMs());
  const token = `demo-${randomBytes(24).toString('base64url')}`;
  const certificate = issueServerCertificate(ca, {
    caName: caNameOf('farm'),
    names: localNames,
    validity: validFrom(clock.nowMs(), 365),
  });
  const plots = Array.from({ length: options.count }, (_, index) => {
    const seed = `farm ${index}`;
    const store = new ClusterStore({ kinds: kindsOf(profile), seed, clock });
    populate(store, shape, profile, createdMs);
    const faults = new Faults(async (deed) => {
      if (deed) throw new Error(`${deed.does}: the fabrics of a farm share their listener`);
    });
    const cluster = { store, clock, kubernetesVersion: 'v1.36.0+k3s1', createdMs };
    return { seed, store, faults, site: new Site({ cluster, faults, token, accessesMax: 100 }) };
  });
  const listener = new Listener({
    host: '127.0.0.1',
    port: options.port ?? 0,
    certificate,
    handle(request, response) {
      const [, index, rest] = /^\/f\/(\d+)(\/.*)$/.exec(request.url ?? '') ?? [];
      const plot = index === undefined ? undefined : plots[Number(index)];
      if (plot && rest !== undefined) plot.site.handle(request, response, rest);
      else response.writeHead(404).end();
    },
  });
  await listener.open();
  return {
    caPem: ca.certPem,
    token,
    fabrics: plots.map(({ seed, store, faults, site }, index) => ({
      url: `https://127.0.0.1:${listener.port}/f/${index}`,
      clusterUid: namespaceUid(seed, 'kube-system'),
      store,
      faults,
      edits: new Edits({ store, clock, dice }),
      get counts() {
        return site.counts;
      },
    })),
    get connections() {
      return listener.connections;
    },
    stop: () => listener.end(),
  };
}
