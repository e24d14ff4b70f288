import { formatIso } from '../clock.ts';
import { createPlanner, differs, type Planned } from '../fleet/planner.ts';
import { idleHint, idleWords } from '../inspector/hints.ts';
import type { TimersRead } from '../inspector/timer-view.ts';
import type { StoredTimer, Timer } from '../ports/timers.ts';
import type { Exit } from './exit-codes.ts';
import { type Servers, withServers } from './servers.ts';
import { wholeSpan } from './span.ts';
import { short } from './status-text.ts';
import type { Column } from './table.ts';
import { type Call, verb } from './verb.ts';
import type { World } from './world.ts';

/** With more fabrics than this to tell of, the daemons are told once to read everything. */
const toldSinglyMax = 20;

export const bootstrapVerb = verb({
  path: ['bootstrap'],
  summary: 'plan every fabric anew and arm what has no timer',
  details:
    'Reads off every row what the fabric should be doing, writes it down, and makes the timers in Redis say the same. A ' +
    'daemon does this by itself; it is safe to repeat at any time, and where all is right it changes nothing.',
  examples: ['fabric-syncd bootstrap', 'fabric-syncd bootstrap --json'],
  run: (call) => withServers(call, (servers) => bootstrap(call, servers)),
});

/** What was done for one fabric. */
type Done =
  /** It has a timer now that it had not, or had at another time. */
  | 'armed'
  | 'already_armed'
  /** Its due time stands in Postgres; Redis could not be asked. */
  | 'planned'
  /** A run is in hand; its end arms the next timer. */
  | 'running'
  | 'skipped';

async function bootstrap(call: Call, servers: Servers): Promise<Exit> {
  const result = await planAll(servers, call.world);
  tell(call, result);
  return 'done';
}

interface Result {
  readonly fabrics: readonly { readonly one: Planned; readonly done: Done }[];
  /** Rows or timers that were not as they are now. */
  readonly changed: number;
  /** Timers of fabrics that are to have none, or that are gone. */
  readonly removed: number;
  readonly redis: TimersRead;
}

async function planAll(
  { config, store, timers, readTimers, operator }: Servers,
  { clock, dice }: Pick<World, 'clock' | 'dice'>,
): Promise<Result> {
  // What is over by now: leases of daemons that died, and pauses.
  await store.interruptExpired(config.backoff, dice.roll());
  await store.endPauses();
  // Timers first: a fabric that commits in between then has a newer row, and the row is the truth.
  const redis = await readTimers();
  const stored = new Map((redis.state === 'answers' ? redis.timers : []).map((timer) => [timer.fabricId, timer]));
  const rows = await store.fabrics();
  const planner = createPlanner(store, clock, () => rows.length);
  const planned = await planner.remember(rows);
  const replanned = planned.filter(({ row, plan }) => differs(row, plan)).map(({ row }) => row.fabricId);

  const wanted = new Set(planned.filter(({ plan }) => plan.state !== 'idle').map(({ row }) => row.fabricId));
  const wrong = planned.flatMap((one) => timerToArm(one, stored.get(one.row.fabricId)));
  const extra = [...stored.keys()].filter((fabricId) => !wanted.has(fabricId));
  const timerStore = redis.state === 'answers' ? await timers() : null;
  if (timerStore && wrong.length > 0) await timerStore.armMany(wrong, { onlyMissing: false });
  if (timerStore) for (const fabricId of extra) await timerStore.cancel(fabricId);
  const armed = new Set(timerStore ? wrong.map((timer) => timer.fabricId) : []);

  const changed = new Set([...replanned, ...armed]);
  if (changed.size > toldSinglyMax) await operator.announce(null);
  else for (const fabricId of changed) await operator.announce(fabricId);
  return {
    fabrics: planned.map((one) => ({ one, done: doneFor(one, armed, timerStore !== null) })),
    changed: changed.size,
    removed: timerStore ? extra.length : 0,
    redis,
  };
}

function tell({ world, out }: Call, { fabrics, changed, removed, redis }: Result): void {
  const count = (done: Done) => fabrics.filter((fabric) => fabric.done === done).length;
  const counts = {
    scheduled: count('armed') + count('planned'),
    already_armed: count('already_armed'),
    running: count('running'),
    skipped: count('skipped'),
    timers_removed: removed,
  };
  out.document({
    ...counts,
    changed,
    redis: redis.state,
    fabrics: fabrics.map(({ one, done }) => document(one, done)),
  });

  const nowMs = world.clock.nowMs();
  out.table(
    columns,
    fabrics.map(({ one: { row, plan }, done }) => {
      const dueMs = plan.state === 'idle' ? null : plan.dueAtMs;
      return [
        row.name,
        done.replace('_', ' '),
        plan.state,
        dueMs === null ? null : short(formatIso(dueMs)),
        dueMs === null ? null : wholeSpan(Math.max(0, dueMs - nowMs)),
        plan.state === 'idle' ? idleWords[plan.reason] : plan.why.replaceAll('_', ' '),
      ];
    }),
  );
  out.say();
  out.say(
    `${counts.scheduled} scheduled, ${counts.already_armed} already armed, ${counts.running} running, ${counts.skipped} skipped` +
      (removed > 0 ? `, ${removed} timers removed that belong to nobody` : ''),
  );
  for (const { one, done } of fabrics) {
    if (done === 'skipped' && one.plan.state === 'idle') {
      out.note(`${one.row.name}: ${idleHint(one.plan.reason, one.row.name)}`);
    }
  }
  if (redis.state === 'unavailable') {
    out.note(`Redis: ${redis.problem}. The due times stand in Postgres, and a daemon goes by them.`);
  }
}

const columns: readonly Column[] = [
  { title: 'FABRIC', widthMin: 8 },
  { title: 'DONE' },
  { title: 'STATE' },
  { title: 'DUE', widthMin: 10 },
  { title: 'IN', align: 'right' },
  { title: 'WHY', widthMin: 10 },
];

function timerToArm({ row, plan }: Planned, timer: StoredTimer | undefined): Timer[] {
  if (plan.state === 'idle' || plan.why === 'running_elsewhere') return [];
  if (timer && timer.dueAtMs === plan.dueAtMs && timer.kind === plan.kind) return [];
  return [{ fabricId: row.fabricId, kind: plan.kind, dueAtMs: plan.dueAtMs, traceparent: row.traceparent }];
}

function doneFor({ row, plan }: Planned, armed: ReadonlySet<string>, inRedis: boolean): Done {
  if (plan.state === 'idle') return 'skipped';
  if (plan.why === 'running_elsewhere') return 'running';
  if (armed.has(row.fabricId)) return 'armed';
  return inRedis ? 'already_armed' : 'planned';
}

function document({ row, plan }: Planned, done: Done): object {
  const idle = plan.state === 'idle';
  return {
    fabric: row.name,
    id: row.fabricId,
    done,
    state: plan.state,
    due_at: idle ? null : formatIso(plan.dueAtMs),
    due_kind: idle ? null : plan.kind,
    why: idle ? plan.reason : plan.why,
  };
}
