// Bugs that are planted to prove that the simulator finds such bugs: each is a wrapper around the ports of a daemon, or
// another setting of it. None of them is known to the product.

import { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { Claim } from '../../../machines/fabric/ports.ts';
import { type FabricLock, type Lease, trustMs } from '../../../src/ports/lock.ts';
import type { CommitRequest } from '../../../src/ports/store.ts';
import { RedisLock } from '../../../src/redis/lock.ts';
import type { Ports } from '../daemon.ts';
import type { SimProcess } from '../host.ts';
import { lockKeys } from '../redis.ts';
import { SimRedisConnection } from '../redis-connection.ts';
import { impatient } from './impatient.ts';
import type { Mutant } from './mutant.ts';
import { apiWith, claimWith, lockWith, rowOf, storeWith, timersWith, withoutSweep } from './ports-with.ts';
import { unpunctual } from './unpunctual.ts';

/** A lock whose leases are trusted until another time. */
const trusting = (ports: Ports, until: (lease: Lease, askedMs: number) => number, process: SimProcess): Ports => {
  const { lock } = ports;
  const real = new WeakMap<Lease, Lease>();
  const other = (lease: Lease, askedMs: number): Lease => {
    const trusted = { ...lease, trustedUntilMs: until(lease, askedMs) };
    real.set(trusted, lease);
    return trusted;
  };
  return {
    ...ports,
    lock: {
      async acquire(fabricId) {
        const askedMs = process.clock.monotonicMs();
        const answer = await lock.acquire(fabricId);
        return answer.kind === 'acquired' ? { ...answer, lease: other(answer.lease, askedMs) } : answer;
      },
      async renew(lease) {
        const askedMs = process.clock.monotonicMs();
        const renewed = await lock.renew(real.get(lease) ?? lease);
        return renewed && other(renewed, askedMs);
      },
      release: (lease) => lock.release(real.get(lease) ?? lease),
    },
  };
};

export const mutants: readonly Mutant[] = [
  ...impatient,
  ...unpunctual,
  {
    name: 'no epoch check',
    breaks: 'a commit is taken under whatever claim the row has by then',
    firstSeed: 10,
    shows: ['b', 'x'],
    mutate: (ports, place, process) => {
      const { database } = place.postgres;
      const { before } = database;
      database.before = (act, daemon, fabricId) => {
        const row = rowOf(place, fabricId);
        if (act === 'commit' && daemon === process.name && row) row.leaseHolder = daemon;
        return before(act, daemon, fabricId);
      };
      return storeWith(ports, {
        commit(request, signal, onFenced) {
          const current: Claim = {
            get epoch() {
              return rowOf(place, request.fabricId)?.epoch ?? 0;
            },
            get runId() {
              return rowOf(place, request.fabricId)?.runId ?? request.claim.runId;
            },
          };
          const unchecked: CommitRequest = Object.create(request, { claim: { value: current, enumerable: true } });
          return ports.store.commit(unchecked, signal, onFenced);
        },
      });
    },
  },
  {
    name: 'a claimed timer is removed',
    breaks: 'between its claim and the next arming a fabric has no timer',
    firstSeed: 1,
    shows: ['a'],
    mutate: (ports) =>
      timersWith(ports, {
        async claimDue(request) {
          const claimed = await ports.timers.claimDue(request);
          for (const { fabricId } of claimed) await ports.timers.cancel(fabricId);
          return claimed;
        },
      }),
  },
  {
    name: 'last_sync is not put back',
    breaks: 'a run that failed leaves its own stamp',
    firstSeed: 1,
    shows: ['e'],
    mutate: (ports, place) =>
      storeWith(ports, {
        async settle(request) {
          const stamp = rowOf(place, request.fabricId)?.lastSyncMs ?? null;
          const answer = await ports.store.settle(request);
          const row = rowOf(place, request.fabricId);
          if (row && row.leaseHolder === null) row.lastSyncMs = stamp;
          return answer;
        },
      }),
  },
  {
    name: 'a broken list counts as complete',
    breaks: 'what was not listed any more is deleted',
    firstSeed: 15,
    shows: ['c', 'd'],
    mutate: (ports) =>
      apiWith(ports, (api) => ({
        async page(kind, request, signal) {
          const ended = { items: [], continueToken: null, resourceVersion: '', bytes: 0 };
          try {
            const answer = await api.page(kind, request, signal);
            return answer.kind === 'expired' ? { kind: 'page', page: ended } : answer;
          } catch (thrown) {
            if (signal.aborted || request.continueToken === null) throw thrown;
            return { kind: 'page', page: ended };
          }
        },
      })),
  },
  {
    name: 'a lease in doubt is kept',
    breaks: 'a run goes on whose renewal was refused or not answered',
    firstSeed: 1,
    shows: ['x', 'l'],
    mutate: (ports) => {
      const { lock, store, config } = ports;
      const renew: typeof lock.renew = async (lease) => {
        const longer = { ...lease, trustedUntilMs: lease.trustedUntilMs + config.leaseTtlMs };
        return (await lock.renew(lease)) ?? longer;
      };
      const renewed = storeWith(ports, {
        renew: (request) =>
          store.renew(request).then(
            () => true,
            () => true,
          ),
      });
      return lockWith(renewed, { renew });
    },
  },
  {
    name: 'no sweep',
    breaks: 'what was lost is never looked for',
    firstSeed: 14,
    shows: ['a', 'r'],
    mutate: withoutSweep,
  },
  {
    name: 'a claim looks at no lease',
    breaks: 'a fabric that another daemon runs is taken over',
    firstSeed: 1,
    shows: ['x'],
    mutate: (ports, place, process) => {
      const acquire: FabricLock['acquire'] = async () => ({ kind: 'unavailable', cause: null });
      const free = storeWith(ports, {
        claim(request) {
          const row = rowOf(place, request.fabricId);
          if (row?.leaseHolder) row.leaseHolder = process.name;
          return ports.store.claim(request);
        },
      });
      return lockWith(free, { acquire });
    },
  },
  {
    name: 'the hold is not renewed',
    breaks: 'the timer of a long run shows to others',
    firstSeed: 49,
    shows: ['w'],
    mutate: (ports) => timersWith(ports, { hold: async () => {} }),
  },
  {
    name: 'deaf to notices, and no sweep',
    breaks: 'what people set is never seen',
    firstSeed: 3,
    shows: ['a', 'r'],
    mutate: (ports) => withoutSweep(storeWith(ports, { listen: async () => async () => {} })),
  },
  {
    name: 'the guard is off',
    breaks: 'everything may be deleted by one answer',
    firstSeed: 15,
    shows: ['G'],
    mutate: (ports) => claimWith(ports, () => ({ guardShare: 1 })),
  },
  {
    name: 'an interrupted run is left as it is',
    breaks: '`syncing` stays when its daemon is dead',
    firstSeed: 6,
    shows: ['f'],
    mutate: (ports) => storeWith(ports, { interruptExpired: async () => [] }),
  },
  {
    name: 'requests are heard and forgotten',
    breaks: '"sync now" is acknowledged and nothing happens',
    firstSeed: 6,
    shows: ['r'],
    mutate: (ports) => storeWith(ports, { openRequests: async () => [] }),
  },
  {
    name: 'every cluster is taken for the right one',
    breaks: 'the objects of another cluster replace those of the fabric',
    firstSeed: 4,
    shows: ['P'],
    mutate: (ports, place) =>
      claimWith(ports, ({ fabricId, clusterUid }) => ({
        approved: true,
        approval: {
          kind: 'cluster',
          runId: '0',
          sinceMs: 0,
          pinned: clusterUid ?? '',
          found: place.fabrics.get(fabricId)?.cluster ?? '',
        },
      })),
  },
  {
    name: 'a changed object is taken for the same',
    breaks: 'its version moves, and its old content stays',
    firstSeed: 10,
    shows: ['c'],
    mutate: (ports, place) =>
      storeWith(ports, {
        commit(request, signal) {
          const { objects } = place.postgres.database.inventory(request.fabricId);
          const touched = [...request.touched];
          const staged = [...request.staged].filter((one) => {
            const { version, resourceVersion, generation } = one;
            const stored = objects.get(`${one.group}/${one.kind}/${one.namespace}/${one.name}`);
            const isSame = stored?.live === true && stored.uid === one.uid;
            if (isSame) touched.push({ id: stored.id, version, resourceVersion, generation });
            return !isSame;
          });
          return ports.store.commit({ ...request, staged, touched }, signal);
        },
      }),
  },
  {
    name: 'an unknown commit is done again as another run',
    breaks: 'a commit whose answer was lost is taken for none',
    firstSeed: 10,
    shows: ['e'],
    mutate: (ports, place) =>
      storeWith(ports, {
        async commit(request, signal, onFenced) {
          try {
            return await ports.store.commit(request, signal, onFenced);
          } catch (thrown) {
            const row = rowOf(place, request.fabricId);
            if (!(thrown instanceof FabricFailure) || !row || row.leaseHolder !== null) throw thrown;
            row.lastSyncMs = null;
            throw thrown;
          }
        },
      }),
  },
  {
    name: 'one node is enough',
    breaks: 'a lock is taken for held that most nodes do not know of',
    firstSeed: 2,
    shows: ['l'],
    mutate: (ports, { redis, config }, process) => {
      const [first] = redis?.nodes.slice(process.host.name.length % 2) ?? [];
      if (!redis || !first) return ports;
      const nodes = [new SimRedisConnection(process, first)];
      const lock = new RedisLock({ nodes, keys: lockKeys, clock: process.clock, ttlMs: config.leaseTtlMs });
      return { ...ports, lock };
    },
  },
  {
    name: 'no allowance for drift',
    breaks: 'a lease is trusted to its last moment by a clock that runs slower than those of the nodes',
    firstSeed: 12,
    shows: ['l'],
    mutate: (ports, { config }, process) => trusting(ports, (_, askedMs) => askedMs + config.leaseTtlMs, process),
  },
  {
    name: 'trusted from the answer on',
    breaks: 'what the answer took is trusted besides',
    firstSeed: 22,
    shows: ['l'],
    mutate: (ports, { config }, process) =>
      trusting(ports, () => process.clock.monotonicMs() + trustMs(config.leaseTtlMs), process),
  },
  {
    name: 'what a server said is told as it is',
    breaks: 'a fabric that repeats the token in its errors is quoted',
    firstSeed: 10,
    shows: ['g'],
    mutate: (ports) => ({ ...ports, way: (_, way) => ({ ...way, scrub: (text) => text }) }),
  },
  {
    name: 'a failure carries its request',
    breaks: 'the cause of a failure is what the client threw, with the headers of the request on it',
    firstSeed: 10,
    shows: ['g'],
    mutate: (ports, { fabrics }) => ({
      ...ports,
      api: (fabricId, api) => ({
        ...api,
        async page(kind, request, signal) {
          try {
            return await api.page(kind, request, signal);
          } catch (thrown) {
            const authorization = `Bearer ${fabrics.get(fabricId)?.token}`;
            const cause = Object.assign(new Error('the socket hung up'), { request: { headers: { authorization } } });
            throw signal.aborted ? thrown : new FabricFailure('UNREACHABLE', 'it hung up', { cause });
          }
        },
      }),
    }),
  },
];
