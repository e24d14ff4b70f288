import { formatIso } from '../clock.ts';
import { createPlanner, differs, type Planned } from '../fleet/planner.ts';
import { idleHint, idleWords } from '../inspector/hints.ts';
import type { StoredTimer, Timer } from '../ports/timers.ts';
import type { Exit } from './exit-codes.ts';
import { type Servers, withServers } from './servers.ts';
import { wholeSpan } from './span.ts';
import { short } from './status-text.ts';
import { type Call, verb } from './verb.ts';

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

async function bootstrap(
  { world, out }: Call,
  { config, store, timers, readTimers, operator }: Servers,
): Promise<Exit> {
  // What is over by now: leases of daemons that died, and pauses.
  await store.interruptExpired(config.backoff.baseMs);
  await store.endPauses();
  // Timers first: a fabric that commits in between then has a newer row, and the row is the truth.
  const read = await readTimers();
  const stored = new Map((read.state === 'answers' ? read.timers : []).map((timer) => [timer.fabricId, timer]));
  const rows = await store.fabrics();
  const planner = createPlanner(store, world.clock, () => rows.length);
  const planned = await planner.remember(rows);
  const changed = planned.filter(({ row, plan }) => differs(row, plan)).map(({ row }) => row.fabricId);

  const wrong = planned.flatMap((one) => timerToArm(one, stored.get(one.row.fabricId)));
  const idle = planned.filter(({ plan }) => plan.state === 'idle').map(({ row }) => row.fabricId);
  const known = new Set(rows.map((row) => row.fabricId));
  const extra = [...idle.filter((id) => stored.has(id)), ...[...stored.keys()].filter((id) => !known.has(id))];
  if (timers && read.state === 'answers') {
    if (wrong.length > 0) await timers.armMany(wrong, { onlyMissing: false });
    for (const fabricId of extra) await timers.cancel(fabricId);
  }
  const armed = new Set(read.state === 'answers' ? wrong.map((timer) => timer.fabricId) : []);
  const moved = [...new Set([...changed, ...armed])];
  if (moved.length > toldSinglyMax) await operator.announce(null);
  else for (const fabricId of moved) await operator.announce(fabricId);

  const fabrics = planned.map((one) => ({ one, done: doneFor(one, armed, read.state === 'answers') }));
  const count = (done: Done) => fabrics.filter((fabric) => fabric.done === done).length;
  const counts = {
    scheduled: count('armed') + count('planned'),
    already_armed: count('already_armed'),
    running: count('running'),
    skipped: count('skipped'),
    timers_removed: read.state === 'answers' ? extra.length : 0,
  };
  out.document({
    ...counts,
    changed: moved.length,
    redis: read.state,
    fabrics: fabrics.map(({ one, done }) => document(one, done)),
  });

  const nowMs = world.clock.nowMs();
  out.table(
    [
      { title: 'FABRIC', widthMin: 8 },
      { title: 'DONE' },
      { title: 'STATE' },
      { title: 'DUE' },
      { title: 'IN', align: 'right' },
      { title: 'WHY', widthMin: 10 },
    ],
    fabrics.map(({ one: { row, plan }, done }) => {
      const due = plan.state === 'idle' ? null : plan.dueAtMs;
      return [
        row.name,
        done.replace('_', ' '),
        plan.state,
        due === null ? null : short(formatIso(due)),
        due === null ? null : wholeSpan(Math.max(0, due - nowMs)),
        plan.state === 'idle' ? idleWords[plan.reason] : plan.why.replaceAll('_', ' '),
      ];
    }),
  );
  out.say();
  out.say(
    `${counts.scheduled} scheduled, ${counts.already_armed} already armed, ${counts.running} running, ${counts.skipped} skipped` +
      (counts.timers_removed > 0 ? `, ${counts.timers_removed} timers removed that belong to nobody` : ''),
  );
  for (const { one, done } of fabrics) {
    if (done === 'skipped' && one.plan.state === 'idle')
      out.note(`${one.row.name}: ${idleHint(one.plan.reason, one.row.name)}`);
  }
  if (read.state === 'unavailable')
    out.note(`Redis does not answer (${read.problem}): the due times stand in Postgres, and a daemon goes by them.`);
  return 'done';
}

function timerToArm({ row, plan }: Planned, timer: StoredTimer | undefined): Timer[] {
  if (plan.state === 'idle' || plan.why === 'running_elsewhere') return [];
  if (timer && timer.dueAtMs === plan.dueAtMs && timer.kind === plan.kind) return [];
  return [{ fabricId: row.fabricId, kind: plan.kind, dueAtMs: plan.dueAtMs, traceparent: timer?.traceparent ?? null }];
}

function doneFor({ row, plan }: Planned, armed: ReadonlySet<string>, redisAnswers: boolean): Done {
  if (plan.state === 'idle') return 'skipped';
  if (plan.why === 'running_elsewhere') return 'running';
  if (armed.has(row.fabricId)) return 'armed';
  return redisAnswers ? 'already_armed' : 'planned';
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
