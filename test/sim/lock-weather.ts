// What happens to the nodes of the lock: all that redlock is built for, and what it is criticised for.

import { operate } from './operators.ts';
import type { Place } from './place.ts';
import type { NodeTrouble } from './scenario.ts';

export function toLockNode(place: Place, event: NodeTrouble & { readonly node: number }): void {
  const { world, redis, hosts, faults, scenario } = place;
  const server = redis.nodes[event.node % redis.nodes.length];
  if (!server || !scenario.redis) return;
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  const told = (kind: string, line: string) => {
    faults.count(kind, 'ms' in event ? event.ms : 0);
    world.tell(`${server.name}: ${line}`);
  };
  switch (event.how) {
    case 'forget':
      told('lock node forgot', 'forgets what it holds');
      redis.forget(server);
      return;
    case 'restart':
      told('lock node restarted', `is restarted, for ${seconds(event.ms)}, and remembers nothing`);
      redis.forget(server);
      server.locks.forgetScripts();
      server.state = 'away';
      break;
    case 'full':
    case 'away':
    case 'stopped':
      told(`lock node ${event.how}`, `${event.how} for ${seconds(event.ms)}`);
      server.state = event.how;
      break;
    case 'late': {
      // One node, or the network before all of them.
      const late = event.node % 2 === 0 ? redis.nodes : [server];
      told(
        'lock node late',
        `${late.length} of the nodes up to ${seconds(event.lateMs)} late for ${seconds(event.ms)}`,
      );
      for (const one of late) one.lateMs = event.lateMs;
      break;
    }
    case 'clock':
      told('lock node’s clock jumped', `its clock is ${seconds(event.skewMs)} ahead for ${seconds(event.ms)}`);
      server.setClock(event.skewMs);
      break;
    case 'way': {
      const host = hosts[event.host];
      told(`way to a lock node ${event.way}`, `no way from ${host?.name} (${event.way})`);
      host?.nodeWays.set(server.name, event.way);
    }
  }
  world.in(event.ms, () => {
    world.tell(`${server.name}: well again`);
    server.state = 'up';
    for (const one of event.how === 'late' ? redis.nodes : [server]) one.lateMs = 0;
    if (server.skewMs !== 0) server.setClock(0);
    if (event.how === 'way') hosts[event.host]?.nodeWays.delete(server.name);
  });
}

/** So many nodes forget that another daemon can have the lock, and it is asked to run the fabric. */
export function loseLock(place: Place, fabricId: string): void {
  const { world, redis } = place;
  inALongRun(place, fabricId, 'lock lost in a run', () => {
    world.tell(`most nodes of the lock forget, while fabric ${fabricId} runs`);
    for (const server of redis.nodes.slice(0, Math.floor(redis.nodes.length / 2) + 1)) redis.forget(server);
    void operate(place, fabricId, 'trigger', 0);
  });
}

/** As by a pause of its host, in which others come to believe that it is dead. */
export function pauseInARun(place: Place, fabricId: string, leases: number): void {
  const { hosts, postgres, config, redis, world } = place;
  // The answers of the nodes are on their way for long: what is trusted counts from before the question.
  for (const server of redis.nodes) server.lateMs = 1_200;
  world.in(longMs, () => {
    for (const server of redis.nodes) server.lateMs = 0;
  });
  inALongRun(
    place,
    fabricId,
    'daemon stood still in a run',
    () => {
      const holder = postgres.database.rows.get(fabricId)?.leaseHolder;
      const process = hosts.map((host) => host.process).find((one) => one?.name === holder);
      process?.standStill(leases * config.leaseTtlMs);
    },
    3_500,
  );
}

/** The fabric is slow, and somebody asks for a run of it; then the act. */
function inALongRun(place: Place, fabricId: string, kind: string, act: () => void, waitMs = 1_000): void {
  const { world, fabrics, faults } = place;
  const fabric = fabrics.get(fabricId);
  if (!fabric || fabric.trouble) return;
  const slow = { what: 'is slow', ms: 2_500 } as const;
  fabric.trouble = slow;
  faults.count(kind, longMs);
  void operate(place, fabricId, 'trigger', 0);
  world.in(waitMs, act);
  world.in(longMs, () => {
    if (fabric.trouble === slow) fabric.trouble = null;
  });
}

/** A run of a slow fabric, and the one after it. */
const longMs = 15_000;

export function calmRedis({ redis, hosts }: Place): void {
  for (const server of new Set([redis.main, ...redis.nodes])) {
    server.state = 'up';
    server.lateMs = 0;
    if (server.skewMs !== 0) server.setClock(0);
  }
  for (const host of hosts) host.nodeWays.clear();
}
