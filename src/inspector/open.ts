// Puts the inspector together: what this daemon remembers, what is live while somebody watches, and who may ask.
//
//   It remembers (the timeline, lateness, repairs) from the start on, so that who looks after something went wrong sees
//   what led to it; it reads nothing before somebody does.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { oneLine } from '../../machines/fabric/failure.ts';
import type { Tracing } from '../../otel/tracing.ts';
import { top } from '../../otel/transitions.ts';
import type { Tiding } from '../admin/tidings.ts';
import { type Clock, formatIso } from '../clock.ts';
import type { Core } from '../compose.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Servers } from '../servers.ts';
import type { Service } from '../service.ts';
import { ReadingApi } from './api.ts';
import { machineDocument } from './chart.ts';
import { Control } from './control.ts';
import { Details } from './details.ts';
import type { ProgressMessage, TransitionMessage } from './documents.ts';
import { Feed } from './feed.ts';
import { Lateness } from './lateness.ts';
import { Live } from './live.ts';
import { LoginDesk } from './login.ts';
import { readPageFiles } from './page-files.ts';
import type { Trouble } from './parts.ts';
import { answerMs } from './patience.ts';
import type { RecentTraces } from './recent-traces.ts';
import { Repairs } from './repairs.ts';
import { InspectorServer } from './server.ts';
import { SocketApi } from './socket-api.ts';
import { Streams } from './streams.ts';
import { Timeline } from './timeline.ts';
import type { TimersRead } from './timer-view.ts';

export interface InspectorDeps {
  readonly config: Config;
  readonly control: boolean;
  readonly log: Log;
  readonly clock: Clock;
  readonly daemon: string;
  readonly version: string;
  readonly pid: number;
  readonly core: Pick<Core, 'fleet' | 'tidings' | 'post' | 'onSwept'>;
  readonly servers: Pick<Servers, 'timers' | 'redisAway' | 'breakLock' | 'openOperator'>;
  /** Why Postgres does not answer, and since when where that is known; null where it does. */
  readonly postgresAway: () => Trouble | null;
  /** Why the daemon makes no progress; null where it does. */
  readonly stuck: () => string | null;
  readonly tracing: Pick<Tracing, 'acted'>;
  /** Null: no spans are kept. */
  readonly traces: RecentTraces | null;
}

export interface Inspector {
  /** Remembers and, where it is set, serves; to be started after the admin socket and stopped before it. */
  readonly service: Service;
  /** For the admin socket: answers `/api/…` and `POST /api/link`. */
  readonly onSocket: (request: IncomingMessage, response: ServerResponse) => void;
}

export function openInspector(deps: InspectorDeps): Inspector {
  const { config, log, clock, daemon, version, pid, core, servers } = deps;
  const { fleet } = core;
  const { operator, reads } = servers.openOperator(answerMs);
  const usesRedis = config.redisUrl !== null;
  const feed = new Feed(randomBytes(4).toString('hex'));
  const timeline = new Timeline(clock);
  const lateness = new Lateness();
  const repairs = new Repairs(clock.nowMs());
  const live = new Live({
    clock,
    daemon: {
      name: daemon,
      version,
      pid,
      started_at: formatIso(clock.nowMs()),
      slots: fleet.slots.capacity,
      control: deps.control && config.inspector !== null,
    },
    reads,
    readTimers: () => readTimers(deps),
    fleet: {
      members: () => fleet.members(),
      member: (fabricId) => fleet.member(fabricId),
      waits: (fabricId) => fleet.slots.waits(fabricId),
    },
    troubles: {
      daemon: () => asTrouble(deps.stuck()),
      redis: () => servers.redisAway(),
      postgres: () => deps.postgresAway(),
    },
    feed,
    usesRedis,
  });
  const streams = new Streams({ live, feed, clock });
  const details = new Details({
    clock,
    daemon,
    live,
    timeline,
    lateness,
    repairs,
    operator,
    reads,
    slots: fleet.slots,
    traces: deps.traces,
    jaegerUrl: config.jaegerUrl,
  });
  const machine = machineDocument({ runDeadline: config.runDeadlineMs });
  const api = new ReadingApi({ live, details, streams, machine });
  const desk = new LoginDesk(clock);
  const server =
    config.inspector &&
    new InspectorServer({
      address: config.inspector,
      page: readPageFiles(),
      api,
      details,
      streams,
      control: deps.control
        ? { acts: new Control({ operator, breakLock: servers.breakLock, clock, log, tracing: deps.tracing }), desk }
        : null,
      log,
    });
  const socket = new SocketApi({
    api,
    link: (who) => {
      if (!server || !deps.control) return null;
      const by = oneLine(who, 100) || 'somebody';
      log.info({ by }, `${by} asked for a link to log in to the inspector`);
      return { url: server.url, who: by, ...desk.issue(by) };
    },
    inspector: () => (server ? server.url : null),
  });

  const hear = (tiding: Tiding) => {
    switch (tiding.type) {
      case 'transition': {
        const transition = timeline.moved(tiding);
        if (tiding.late_ms !== null && top(tiding.from) !== 'locked') lateness.add(tiding.late_ms);
        if (!live.awake) return;
        const { fabric, fabric_id, state } = tiding;
        const message: TransitionMessage = { fabric, fabric_id, state, ...transition };
        feed.tell('transition', JSON.stringify(message), fabric_id);
        live.mark(fabric_id);
        return;
      }
      case 'progress': {
        const { fabric, fabric_id, run } = tiding;
        const message: ProgressMessage = { fabric, fabric_id, run, ...timeline.progressed(tiding) };
        if (live.awake) feed.tellProgress(JSON.stringify(message), fabric_id);
        return;
      }
      case 'run': {
        const { type: _, ...message } = tiding;
        if (!live.awake) return;
        feed.tell('run', JSON.stringify(message), tiding.fabric_id);
        live.mark(tiding.fabric_id);
      }
    }
  };
  const ears: (() => void)[] = [];
  const service: Service = {
    name: 'inspector',
    async start() {
      ears.push(
        core.tidings.listen(hear),
        core.post.onNotice((notice) => (notice.what === 'everything' ? live.markAll() : live.mark(notice.fabricId))),
        core.onSwept((found, why) => {
          repairs.add(found, why, clock.nowMs());
          timeline.keepOnly(fleet.ids());
        }),
      );
      await server?.start();
    },
    async stop() {
      for (const stopHearing of ears.splice(0)) stopHearing();
      streams.stop();
      await server?.stop();
      await live.sleep();
    },
  };
  return { service, onSocket: (request, response) => socket.answer(request, response) };
}

async function readTimers({ config, servers }: InspectorDeps): Promise<TimersRead> {
  if (config.redisUrl === null) return { state: 'none' };
  const before = servers.redisAway();
  if (before) return { state: 'unavailable', problem: before.problem };
  try {
    const timers = await servers.timers.all();
    // It went away meanwhile: these are those in memory.
    const after = servers.redisAway();
    return after ? { state: 'unavailable', problem: after.problem } : { state: 'answers', timers };
  } catch (thrown) {
    return { state: 'unavailable', problem: thrown instanceof Error ? thrown.message : 'Redis does not answer' };
  }
}

function asTrouble(problem: string | null): Trouble | null {
  return problem === null ? null : { problem };
}
