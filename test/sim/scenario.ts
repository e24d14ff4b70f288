// What a seed means: how many daemons and fabrics, how they are set, and everything that is going to be done to them.
//
//   S1. A scenario is plain data: the same seed gives the same one, and it can be made smaller by leaving parts of it out.
//   S2. Each event says when it happens, counted from the beginning; none depends on what others left behind.

import type { FailureCode } from '../../machines/fabric/failure.ts';
import { Chance } from './chance.ts';
import type { Trouble } from './fabric.ts';
import { kindsServed } from './fabric-answers.ts';
import type { Service, TrapEffect } from './host.ts';
import type { NoticeWeather } from './postgres.ts';
import type { LockPlan } from './redis.ts';

export interface FabricPlan {
  readonly fabricId: string;
  readonly intervalMs: number;
  readonly sizes: readonly number[];
  /** It is there from the beginning; else an event adds it. */
  readonly atStart: boolean;
  /** Left out of a smaller scenario. */
  readonly absent?: boolean;
}

export type Happening =
  | { readonly what: 'kill' | 'stop'; readonly host: number; readonly downMs: number }
  | { readonly what: 'stand still'; readonly host: number; readonly ms: number }
  /** The wall clock of a host, or of Postgres where `host` is null, jumps, and is set right after a while. */
  | { readonly what: 'clock'; readonly host: number | null; readonly skewMs: number; readonly ms: number }
  | {
      readonly what: 'trap';
      readonly host: number;
      readonly effect: TrapEffect;
      readonly service: Service | null;
      readonly op: string | null;
      readonly after: number;
    }
  | {
      readonly what: 'way';
      readonly host: number | null;
      readonly service: Service;
      readonly way: 'refused' | 'silent';
      readonly ms: number;
    }
  | { readonly what: 'redis'; readonly how: 'flush' }
  | { readonly what: 'redis'; readonly how: 'fail over'; readonly ageMs: number }
  | { readonly what: 'redis'; readonly how: 'full' | 'away' | 'stopped'; readonly ms: number }
  | ({ readonly what: 'lock node'; readonly node: number } & NodeTrouble)
  /** In the middle of a long run of this fabric so many nodes forget its lock that another daemon can have it, and is asked. */
  | { readonly what: 'lock lost'; readonly fabric: number }
  /** In the middle of a long run whoever runs this fabric stands still for some leases. */
  | { readonly what: 'pause in a run'; readonly fabric: number; readonly leases: number }
  | { readonly what: 'postgres'; readonly how: 'refusing' | 'standby'; readonly ms: number }
  | { readonly what: 'postgres'; readonly how: 'slow'; readonly lateMs: number; readonly ms: number }
  | { readonly what: 'postgres'; readonly how: 'cut' }
  /** A person's open transaction keeps its rows. */
  | { readonly what: 'row held'; readonly fabric: number; readonly ms: number }
  | { readonly what: 'postgres'; readonly how: 'restore'; readonly ageMs: number }
  | { readonly what: 'notices'; readonly how: Exclude<NoticeWeather, 'calm'>; readonly ms: number }
  | { readonly what: 'fabric'; readonly fabric: number; readonly trouble: Trouble; readonly ms: number }
  | { readonly what: 'edit'; readonly fabric: number; readonly times: number }
  | { readonly what: 'lose'; readonly fabric: number; readonly share: number; readonly ms: number }
  | { readonly what: 'another cluster'; readonly fabric: number }
  /** Its token is of no use any more; the new one is given to the daemons after a while. */
  | { readonly what: 'token'; readonly fabric: number; readonly ms: number }
  /** Its address, or what lets the daemons in, cannot be used until somebody sees the mistake. */
  | { readonly what: 'misled'; readonly fabric: number; readonly by: 'address' | 'credential'; readonly ms: number }
  | {
      readonly what: 'operator';
      readonly fabric: number;
      readonly act:
        | 'trigger'
        | 'approve'
        | 'unlock'
        | 'cancel'
        | 'pause'
        | 'resume'
        | 'remove'
        | 'add'
        | 'way in'
        | 'announce';
      readonly ms: number;
    }
  | { readonly what: 'settings'; readonly fabric: number; readonly values: SettingsChange };

/** What happens to one node of the lock, which may be the Redis of the timers too. */
export type NodeTrouble =
  | { readonly how: 'forget' }
  /** It comes back without what it held. */
  | { readonly how: 'restart'; readonly ms: number }
  | { readonly how: 'full' | 'away' | 'stopped'; readonly ms: number }
  | { readonly how: 'late'; readonly lateMs: number; readonly ms: number }
  | { readonly how: 'clock'; readonly skewMs: number; readonly ms: number }
  | { readonly how: 'way'; readonly host: number; readonly way: 'refused' | 'silent'; readonly ms: number };

export interface SettingsChange {
  readonly intervalSeconds?: number;
  readonly syncEnabled?: boolean;
  readonly schedulerEnabled?: boolean;
  /** Of the kinds that the fabric serves, those that nobody wants to be read. */
  readonly unwanted?: readonly string[];
}

export type PlannedEvent = Happening & { readonly atMs: number };

export interface Scenario {
  readonly seed: number;
  readonly daemons: number;
  readonly fabrics: readonly FabricPlan[];
  /** When the faults stop. */
  readonly stormMs: number;
  readonly events: readonly PlannedEvent[];
  /**
   * What is lost with the last breath of the storm: the timers in Redis, every notice of what is set then, or the daemon that
   * runs a fabric which nobody may run any more.
   */
  readonly last: 'flush' | 'notices' | 'crash' | null;
  readonly env: Readonly<Record<string, string>>;
  /** Null: `REDIS_URL=none`. */
  readonly redis: LockPlan | null;
}

/** How fast it goes in a scenario. */
interface Pace {
  /** Of syncs, in seconds. */
  readonly intervals: readonly number[];
  readonly stormMs: readonly [least: number, most: number];
  /** Between two troubles. */
  readonly spacingMs: readonly [least: number, most: number];
  readonly sweepSeconds: readonly number[];
}

const minute = 60_000;
const hour = 60 * minute;

/** Minutes, with more happening than would in a year. */
const hurried: Pace = {
  intervals: [5, 20, 30, 60, 60, 120, 300, 300, 900],
  stormMs: [3 * minute, 90 * minute],
  spacingMs: [4_000, 5 * minute],
  sweepSeconds: [2, 5, 10, 20, 30, 60],
};

/** Days as operators have them: hourly syncs, nights, an outage of an afternoon. */
const everyday: Pace = {
  intervals: [300, 900, 1_800, 3_600, 3_600, 21_600],
  stormMs: [6 * hour, 72 * hour],
  spacingMs: [10 * minute, 4 * hour],
  sweepSeconds: [30, 60],
};

/** Every fifth is of the long ones. */
const paceOf = (seed: number): Pace => (seed % 5 === 0 ? everyday : hurried);

export function scenarioOf(seed: number): Scenario {
  const chance = new Chance(seed, 'scenario');
  const pace = paceOf(seed);
  const daemons = chance.pick([1, 2, 2, 2, 3]);
  const fabricCount = 1 + chance.below(5);
  const fabrics = Array.from({ length: fabricCount }, (_, at): FabricPlan => {
    const large = chance.is(0.3);
    const sizes = kindsServed.map(() => chance.below(large ? 40 : 8));
    const intervalMs = 1_000 * chance.pick(pace.intervals);
    return { fabricId: String(at + 1), intervalMs, sizes, atStart: at === 0 || chance.is(0.8) };
  });
  const stormMs = Math.round(chance.spread(...pace.stormMs));
  const lease = chance.pick([5, 10, 30, 30]);
  const env = {
    FABRIC_SYNCD_LEASE_TTL: `${lease}s`,
    FABRIC_SYNCD_SWEEP_INTERVAL: `${chance.pick(pace.sweepSeconds)}s`,
    FABRIC_SYNCD_RUN_DEADLINE: `${chance.pick([30, 60, 120])}s`,
    FABRIC_SYNCD_BACKOFF_CAP: `${chance.pick([10, 60, 300])}s`,
    FABRIC_SYNCD_RETRIES_MAX: String(chance.pick([1, 3, 5])),
    FABRIC_SYNCD_PROBE_MIN: `${chance.pick([30, 120, 600])}s`,
    FABRIC_SYNCD_PAGE_LIMIT: String(chance.pick([3, 10, 500])),
    FABRIC_SYNCD_CONCURRENCY: String(chance.pick([1, 2, 10])),
  };
  // A few troubles far apart, or many on top of each other.
  const spacingMs = chance.spread(...pace.spacingMs);
  const events: PlannedEvent[] = [];
  for (let atMs = chance.between(0, 2 * spacingMs); atMs < stormMs; atMs += chance.between(0, 2 * spacingMs)) {
    events.push({
      atMs: Math.round(atMs),
      ...happening(chance, { daemons, fabrics: fabricCount, spacingMs, intervals: pace.intervals }),
    });
  }
  events.push(...mistakes(seed, fabricCount, stormMs));
  events.sort((one, other) => one.atMs - other.atMs);
  return { seed, daemons, fabrics, stormMs, events, env, last: lastOf(seed), redis: redisOf(seed) };
}

/** What a storm ends with: nobody starts or comes back afterwards who would mend it by the way. */
function lastOf(seed: number): Scenario['last'] {
  return new Chance(seed, 'last').pick(['flush', 'notices', 'crash', null]);
}

function redisOf(seed: number): LockPlan | null {
  const chance = new Chance(seed, 'redis');
  if (chance.is(0.06)) return null;
  return { nodes: chance.pick([1, 1, 2, 3, 3, 3, 4, 5]), apart: chance.is(0.3) };
}

/** In some storms somebody sets what cannot be used; with dice of their own, so that all else stays as it was. */
function mistakes(seed: number, fabrics: number, stormMs: number): readonly PlannedEvent[] {
  const chance = new Chance(seed, 'mistakes');
  return Array.from({ length: Math.max(0, chance.below(6) - 2) }, (): PlannedEvent => {
    const ms = Math.round(chance.spread(2_000, 10 * minute));
    const by = chance.pick(['address', 'credential'] as const);
    return { atMs: Math.round(chance.between(0, stormMs)), what: 'misled', fabric: chance.below(fabrics), by, ms };
  });
}

interface Size {
  readonly daemons: number;
  readonly fabrics: number;
  readonly spacingMs: number;
  readonly intervals: readonly number[];
}

/** What every answer of a fabric may mean, or that there is none. */
export const troubleCodes: readonly FailureCode[] = [
  ...(['UNREACHABLE', 'UNREACHABLE', 'ADDRESS_UNKNOWN', 'TIMED_OUT'] as const),
  ...(['TLS_UNTRUSTED', 'TLS_NAME_MISMATCH', 'TLS_EXPIRED', 'TLS_FAILED'] as const),
  ...(['UNAUTHORIZED', 'REDIRECTED', 'SERVER_ERROR', 'SERVER_ERROR', 'NOT_KUBERNETES'] as const),
  ...(['BODY_BROKEN', 'BODY_TOO_LARGE'] as const),
];

const ops: readonly (readonly [Service, string])[] = [
  ['postgres', 'claim'],
  ['postgres', 'commit'],
  ['postgres', 'commit'],
  ['postgres', 'commit'],
  ['postgres', 'commit'],
  ['postgres', 'settle'],
  ['postgres', 'renew'],
  ['postgres', 'known'],
  ['postgres', 'remember'],
  ['postgres', 'fabric'],
  ['postgres', 'fabrics'],
  ['postgres', 'interruptExpired'],
  ['postgres', 'openRequests'],
  ['redis', 'claimDue'],
  ['redis', 'arm'],
  ['redis', 'armMany'],
  ['redis', 'hold'],
  ['redis', 'cancel'],
  ['redis', 'acquire'],
  ['redis', 'release'],
  ['redis', 'extend'],
  ['fabric', 'clusterUid'],
  ['fabric', 'page Server'],
];

const effects: readonly TrapEffect[] = [
  'unsent',
  'lost',
  'lost',
  'late',
  'delayed',
  'doubled',
  'dies asking',
  'dies when done',
  'dies answered',
];

function happening(chance: Chance, { daemons, fabrics, spacingMs, intervals }: Size): Happening {
  const host = chance.below(daemons);
  const fabric = chance.below(fabrics);
  const ms = Math.round(chance.spread(500, Math.max(20_000, 2 * spacingMs)));
  const one: readonly (readonly [weight: number, make: () => Happening])[] = [
    [4, () => ({ what: 'kill', host, downMs: Math.round(chance.spread(100, 60_000)) })],
    [2, () => ({ what: 'stop', host, downMs: Math.round(chance.spread(100, 60_000)) })],
    [3, () => ({ what: 'stand still', host, ms: Math.round(chance.spread(100, 90_000)) })],
    [2, () => clockJump(chance, host, ms)],
    [12, () => trap(chance, host)],
    [4, () => way(chance, host, ms)],
    [1, () => ({ what: 'redis', how: 'flush' })],
    [1, () => ({ what: 'redis', how: 'fail over', ageMs: Math.round(chance.spread(100, 60_000)) })],
    [2, () => ({ what: 'redis', how: chance.pick(['full', 'away', 'stopped'] as const), ms })],
    [4, () => nodeTrouble(chance, host, ms)],
    [0.7, () => ({ what: 'lock lost', fabric })],
    [0.7, () => ({ what: 'pause in a run', fabric, leases: chance.spread(0.5, 4) })],
    [1.5, () => ({ what: 'postgres', how: chance.pick(['refusing', 'standby'] as const), ms })],
    [1, () => ({ what: 'postgres', how: 'slow', lateMs: Math.round(chance.spread(50, 8_000)), ms })],
    [1, () => ({ what: 'postgres', how: 'cut' })],
    [1, () => ({ what: 'row held', fabric, ms: Math.round(chance.spread(500, 120_000)) })],
    [0.3, () => ({ what: 'postgres', how: 'restore', ageMs: Math.round(chance.spread(1_000, 10 * 60_000)) })],
    [2, () => ({ what: 'notices', how: chance.pick(['lost', 'late', 'doubled'] as const), ms })],
    [
      8,
      () => ({ what: 'fabric', fabric, trouble: trouble(chance), ms: Math.round(chance.spread(2_000, 10 * 60_000)) }),
    ],
    [5, () => ({ what: 'edit', fabric, times: 1 + chance.below(4) })],
    [1, () => ({ what: 'lose', fabric, share: chance.pick([0.1, 0.5, 1]), ms })],
    [0.5, () => ({ what: 'another cluster', fabric })],
    [0.7, () => ({ what: 'token', fabric, ms: Math.round(chance.spread(100, 5 * 60_000)) })],
    [8, () => operator(chance, fabric)],
    [3, () => ({ what: 'settings', fabric, values: settings(chance, intervals) })],
  ];
  let at = chance.roll() * one.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, make] of one) {
    at -= weight;
    if (at < 0) return make();
  }
  return { what: 'edit', fabric, times: 1 };
}

function clockJump(chance: Chance, host: number, ms: number): Happening {
  const size = Math.round(chance.spread(50, 2 * 3_600_000));
  return { what: 'clock', host: chance.is(0.25) ? null : host, skewMs: chance.is(0.5) ? size : -size, ms };
}

function nodeTrouble(chance: Chance, host: number, ms: number): Happening {
  const size = Math.round(chance.spread(50, 60_000));
  const all: readonly (() => NodeTrouble)[] = [
    () => ({ how: 'forget' }),
    () => ({ how: 'restart', ms: Math.round(chance.spread(100, 20_000)) }),
    () => ({ how: chance.pick(['full', 'away', 'stopped'] as const), ms }),
    () => ({ how: 'late', lateMs: Math.round(chance.spread(50, 3_000)), ms }),
    () => ({ how: 'clock', skewMs: chance.is(0.5) ? size : -size, ms }),
    () => ({ how: 'way', host, way: chance.pick(['refused', 'silent'] as const), ms }),
  ];
  return { what: 'lock node', node: chance.below(60), ...chance.pick(all)() };
}

/** At a question that matters, or at any. */
function trap(chance: Chance, host: number): Happening {
  const effect = chance.pick(effects);
  if (chance.is(0.3)) return { what: 'trap', host, effect, service: null, op: null, after: chance.below(60) };
  const [service, op] = chance.pick(ops);
  return { what: 'trap', host, effect, service, op, after: chance.below(3) };
}

function way(chance: Chance, host: number, ms: number): Happening {
  const service = chance.pick(['postgres', 'redis', 'fabric'] as const);
  return { what: 'way', host: chance.is(0.25) ? null : host, service, way: chance.pick(['refused', 'silent']), ms };
}

function trouble(chance: Chance): Trouble {
  const code = chance.pick(troubleCodes);
  const kind = chance.pick([...kindsServed.map((one) => one.kind), null]);
  const all: readonly (() => Trouble)[] = [
    () => ({ what: 'fails', code }),
    () => ({ what: 'fails', code: 'THROTTLED', retryAfterMs: Math.round(chance.spread(1_000, 120_000)) }),
    () => ({ what: 'fails at page', code: chance.pick(['SERVER_ERROR', 'BODY_BROKEN']), page: 1 + chance.below(4) }),
    () => ({ what: chance.pick(['forbidden', 'not served'] as const), kind }),
    () => ({ what: 'expires' }),
    () => ({ what: 'repeats an object' }),
    () => ({ what: 'hides its uid' }),
    () => ({ what: 'is slow', ms: Math.round(chance.spread(300, 12_000)) }),
    () => ({ what: 'is slow', ms: Math.round(chance.spread(1_000, 8_000)) }),
    () => ({ what: 'hangs' }),
  ];
  return chance.pick(all)();
}

function operator(chance: Chance, fabric: number): Happening {
  const acts = ['trigger', 'trigger', 'trigger', 'approve', 'unlock', 'cancel', 'pause', 'resume'] as const;
  const rare = ['remove', 'add', 'add', 'way in', 'way in', 'announce', 'announce'] as const;
  const act = chance.is(0.85) ? chance.pick(acts) : chance.pick(rare);
  return { what: 'operator', fabric, act, ms: chance.is(0.5) ? 0 : Math.round(chance.spread(1_000, 300_000)) };
}

function settings(chance: Chance, intervals: readonly number[]): SettingsChange {
  if (chance.is(0.15)) return { unwanted: chance.is(0.5) ? [] : [chance.pick(kindsServed).kind] };
  const roll = chance.roll();
  if (roll < 0.6) return { intervalSeconds: chance.is(0.1) ? 0 : chance.pick(intervals) };
  return roll < 0.8 ? { syncEnabled: chance.is(0.6) } : { schedulerEnabled: chance.is(0.6) };
}
