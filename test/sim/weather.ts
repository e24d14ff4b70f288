// Does to a place what its scenario says, and makes all of it right again when the storm is over.

import { setFabric } from '../support/memory-operator.ts';
import { calmRedis, loseLock, pauseInARun, toLockNode } from './lock-weather.ts';
import { giveToken, mislead, operate, setRight, valuesIn } from './operators.ts';
import type { Place } from './place.ts';
import type { PlannedEvent } from './scenario.ts';

/** How long ago the backups are that events of a scenario ask for: they are made at their time. */
export function scheduleStorm(place: Place): void {
  const { world, scenario } = place;
  for (const event of scenario.events) {
    if (event.what === 'postgres' && event.how === 'restore') scheduleRestore(place, event.atMs, event.ageMs);
    else if (event.what === 'redis' && event.how === 'fail over') scheduleFailOver(place, event.atMs, event.ageMs);
    else world.in(event.atMs, () => happen(place, event));
  }
  world.in(scenario.stormMs, () => calm(place));
}

function scheduleRestore({ world, postgres, checker, faults }: Place, atMs: number, ageMs: number): void {
  let backup: ReturnType<typeof postgres.database.backup> | null = null;
  world.in(Math.max(0, atMs - ageMs), () => {
    backup = postgres.database.backup();
  });
  world.in(atMs, () => {
    if (!backup) return;
    faults.count('postgres restored');
    world.tell(`postgres: restored from a backup that is ${Math.round(ageMs / 1_000)} s old`);
    postgres.restore(backup);
    checker.restored();
  });
}

function scheduleFailOver({ world, redis, faults }: Place, atMs: number, ageMs: number): void {
  let backup: Awaited<ReturnType<typeof redis.backup>> | null = null;
  world.in(Math.max(0, atMs - ageMs), async () => {
    backup = await redis.backup();
  });
  world.in(atMs, async () => {
    if (!backup) return;
    faults.count('redis failed over');
    world.tell(`redis: fails over to a replica that is ${Math.round(ageMs / 1_000)} s behind`);
    await redis.failOver(backup);
  });
}

function happen(place: Place, event: PlannedEvent): unknown {
  const { world, daemons, hosts, postgres, redis, faults } = place;
  const name = (at: number | null) => (at === null ? 'every host' : (hosts[at]?.name ?? ''));
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  const told = (kind: string, line: string) => {
    faults.count(kind, 'ms' in event ? event.ms : 0);
    world.tell(line);
  };
  switch (event.what) {
    case 'kill':
      faults.count('daemon killed', event.downMs);
      return daemons[event.host]?.kill(event.downMs);
    case 'stop':
      faults.count('daemon stopped in order', event.downMs + 90_000);
      return daemons[event.host]?.stop(event.downMs);
    case 'stand still':
      faults.count('daemon stood still', event.ms);
      return hosts[event.host]?.process?.standStill(event.ms);
    case 'clock': {
      const of = event.host === null ? postgres : hosts[event.host];
      if (!of) return;
      const who = event.host === null ? 'postgres' : name(event.host);
      told('clock jumped', `${who}: its clock is ${seconds(event.skewMs)} ahead for ${seconds(event.ms)}`);
      of.skewMs = event.skewMs;
      place.checker.clockJumped(event.skewMs);
      return world.in(event.ms, () => {
        if (of.skewMs !== event.skewMs) return;
        of.skewMs = 0;
        place.checker.clockJumped(-event.skewMs);
        world.tell(`${who}: its clock is right again`);
      });
    }
    case 'trap':
      faults.count(event.effect.startsWith('dies') ? 'daemon killed at a question' : `answer ${event.effect}`);
      return hosts[event.host]?.traps.push({ ...event });
    case 'way': {
      told(`way to ${event.service} ${event.way}`, `${name(event.host)}: no way to ${event.service} (${event.way})`);
      const cut = event.host === null ? hosts : hosts.slice(event.host, event.host + 1);
      for (const host of cut) host.ways[event.service] = event.way;
      return world.in(event.ms, () => {
        for (const host of cut) host.ways[event.service] = 'open';
        world.tell(`${name(event.host)}: ${event.service} can be reached again`);
      });
    }
    case 'redis':
      if (event.how === 'flush') {
        told('redis flushed', 'redis: flushed');
        return redis.forget(redis.main);
      }
      if (event.how === 'fail over') return;
      told(`redis ${event.how}`, `redis: ${event.how} for ${seconds(event.ms)}`);
      redis.main.state = event.how;
      return world.in(event.ms, () => {
        redis.main.state = 'up';
        world.tell('redis: up');
      });
    case 'lock node':
      return toLockNode(place, event);
    case 'postgres':
      if (event.how === 'slow') {
        told('postgres slow', `postgres: up to ${seconds(event.lateMs)} late for ${seconds(event.ms)}`);
        postgres.lateMs = event.lateMs;
        return world.in(event.ms, () => {
          postgres.lateMs = 0;
        });
      }
      told(`postgres ${event.how}`, `postgres: ${event.how}`);
      postgres.cutConnections();
      if (event.how === 'cut' || event.how === 'restore') return;
      postgres.state = event.how;
      return world.in(event.ms, () => {
        postgres.state = 'up';
        world.tell('postgres: up');
      });
    case 'notices':
      told(`notices ${event.how}`, `postgres: notices are ${event.how} for ${seconds(event.ms)}`);
      postgres.notices = event.how;
      return world.in(event.ms, () => {
        postgres.notices = 'calm';
      });
    default:
      return toFabric(place, event);
  }
}

function toFabric(place: Place, event: PlannedEvent & { readonly fabric: number }): unknown {
  const { world, faults, scenario, fabrics } = place;
  const plan = scenario.fabrics[event.fabric];
  const fabric = plan && fabrics.get(plan.fabricId);
  if (!fabric) return;
  const told = (kind: string, line: string) => {
    faults.count(kind, 'ms' in event ? event.ms : 0);
    world.tell(`fabric ${plan.fabricId}: ${line}`);
  };
  switch (event.what) {
    case 'fabric': {
      const { trouble } = event;
      told(`fabric ${trouble.what}`, JSON.stringify(trouble));
      fabric.trouble = trouble;
      return world.in(event.ms, () => {
        if (fabric.trouble !== trouble) return;
        fabric.trouble = null;
        world.tell(`fabric ${plan.fabricId}: well again`);
      });
    }
    case 'edit':
      world.tell(`fabric ${plan.fabricId}: edited`);
      for (let i = 0; i < event.times; i++) fabric.edit();
      return;
    case 'lose':
      told('fabric lost objects', `loses ${event.share * 100} % of its objects`);
      return fabric.lose(event.share);
    case 'another cluster':
      told('another cluster', 'is another cluster');
      return fabric.replace();
    case 'row held':
      told('rows held', `a person’s transaction keeps its rows for ${Math.round(event.ms / 1_000)} s`);
      place.postgres.holdRow(plan.fabricId);
      return world.in(event.ms, () => place.postgres.freeRows([plan.fabricId]));
    case 'lock lost':
      return loseLock(place, plan.fabricId);
    case 'pause in a run':
      return pauseInARun(place, plan.fabricId, event.leases);
    case 'token':
      told('fabric token renewed', 'has another token');
      fabric.renewToken();
      return world.in(event.ms, () => giveToken(place, plan.fabricId));
    case 'misled':
      told(`fabric’s ${event.by} is wrong`, `its ${event.by} is wrong`);
      mislead(place, plan.fabricId, event.by);
      return world.in(event.ms, () => setRight(place, plan.fabricId));
    case 'settings':
      world.tell(`fabric ${plan.fabricId}: set ${JSON.stringify(event.values)}`);
      place.checker.meddled(plan.fabricId);
      return setFabric(place.postgres.database, plan.fabricId, valuesIn(place, event.values));
    case 'operator':
      return operate(place, plan.fabricId, event.act, event.ms);
    default:
      return;
  }
}

/** The storm is over: servers, ways, clocks and fabrics are well, and operators have let go of everything. */
function calm(place: Place): void {
  const { world, hosts, daemons, postgres, redis, fabrics, checker, faults, scenario } = place;
  world.tell('the storm is over');
  for (const host of hosts) {
    host.traps.length = 0;
    host.ways.postgres = host.ways.redis = host.ways.fabric = 'open';
    host.skewMs = 0;
  }
  postgres.state = 'up';
  postgres.notices = 'calm';
  postgres.skewMs = 0;
  postgres.lateMs = 0;
  postgres.freeRows([...postgres.database.held]);
  calmRedis(place);
  for (const fabric of fabrics.values()) fabric.trouble = null;
  for (const daemon of daemons) if (!daemon.host.process?.alive) daemon.startIn(0);
  for (const { fabricId, intervalMs } of scenario.fabrics) {
    const row = postgres.database.rows.get(fabricId);
    if (!row) continue;
    if (row.paused) void operate(place, fabricId, 'resume', 0);
    setRight(place, fabricId);
    const settled = { syncEnabled: true, schedulerEnabled: true };
    setFabric(
      postgres.database,
      fabricId,
      row.intervalMs > 0 ? settled : { ...settled, intervalSeconds: intervalMs / 1_000 },
    );
  }
  checker.calmed();
  if (scenario.last === 'flush') {
    faults.count('redis flushed');
    world.tell('redis: flushed');
    redis.forget(redis.main);
  }
  if (scenario.last === 'crash') crashInARun(place);
  if (scenario.last !== 'notices') return;
  faults.count('notices lost');
  postgres.notices = 'lost';
  world.in(5_000, () => {
    postgres.notices = 'calm';
  });
}

/** The first fabric's run ends with its daemon, and then it may not sync any more: only a sweep can end what it left. */
function crashInARun(place: Place): void {
  const { world, hosts, postgres, faults, scenario } = place;
  const fabricId = scenario.fabrics[0]?.fabricId ?? '';
  faults.count('daemon killed at a question', 60_000);
  void operate(place, fabricId, 'trigger', 0);
  for (const host of hosts) host.traps.push({ service: 'fabric', op: null, after: 0, effect: 'dies asking' });
  world.in(3_000, () => {
    for (const host of hosts) host.traps.length = 0;
    place.checker.meddled(fabricId);
    setFabric(postgres.database, fabricId, { syncEnabled: false });
  });
}
