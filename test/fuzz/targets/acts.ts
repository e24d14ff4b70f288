// The bodies of what somebody who has logged in asks of a fabric: an answer or a refusal, and nothing that Postgres could
// not take reaches it.

import { noTracing } from '../../../otel/tracing.ts';
import { systemClock } from '../../../src/clock.ts';
import { Refusal } from '../../../src/inspector/answers.ts';
import { Control } from '../../../src/inspector/control.ts';
import { sampleRow } from '../../inspector/sample.ts';
import type { Target } from '../target.ts';

const acts = [
  'trigger',
  'retry',
  'pause',
  'resume',
  'approve',
  'unlock',
  'cancel',
  'constructor',
  '__proto__',
] as const;
/** The year 9999: the last that both of us can write in four digits. */
const momentMax = Date.UTC(10_000, 0);

export const controlActs: Target = {
  name: 'acts',
  about: 'an act by its name, and its JSON body on the next line',
  seeds: [
    'pause\n{"reason":"switch upgrade","until":"2026-12-31T18:00:00Z"}',
    'pause\n{"reason":"\\u0000\\u202e\\ud800","until":null}',
    'pause\n{"reason":"x","until":"9999-12-31T23:59:59-23:59"}',
    'pause\n{"reason":["x"],"until":1}',
    'approve\n{"run":"17"}',
    'approve\n{"run":"\\u0000"}',
    'trigger\n{}',
    '__proto__\n{"__proto__":{"reason":"x"}}',
  ],
  async open() {
    return {
      async run(input) {
        const text = input.toString('utf8');
        const at = text.indexOf('\n');
        const act = acts.find((name) => name === text.slice(0, at));
        const body = objectOf(text.slice(at + 1));
        if (act === undefined || body === null) return;
        const control = new Control({
          operator: strict(),
          breakLock: async () => 'freed',
          clock,
          log,
          tracing: noTracing,
        } as never);
        if (!control.knows(act)) return;
        try {
          await control.do(act, '1', 'ann@noc', body);
        } catch (thrown) {
          if (!(thrown instanceof Refusal)) throw thrown;
        }
      },
      async close() {},
    };
  },
};

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const clock = { ...systemClock, sleep: async () => {} };

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

/** Takes what Postgres would take, and is shown a fabric that waits for an approval. */
function strict(): object {
  const answers: Readonly<Record<string, (...given: readonly unknown[]) => unknown>> = {
    status: () => ({
      nowMs: Date.UTC(2026, 0, 2),
      fabrics: [sampleRow({ approval: { kind: 'cluster', runId: '17' } } as never)],
    }),
    request: () => [{ fabricId: '1', requestId: '7' }],
    resume: () => false,
    approve: () => ({ kind: 'changed' }),
    unlock: () => null,
  };
  return new Proxy(
    {},
    {
      get:
        (_, name) =>
        async (...given: readonly unknown[]) => {
          assertStorable(given);
          return answers[String(name)]?.(...given);
        },
    },
  );
}

function assertStorable(value: unknown): void {
  // No text of Postgres has a NUL in it.
  if (typeof value === 'string' && (value.includes('\0') || value.length > 10_000))
    throw new Error(`${JSON.stringify(value.slice(0, 100))} is given to Postgres`);
  if (typeof value === 'number' && !(Math.abs(value) < momentMax)) throw new Error(`${value} is given to Postgres`);
  if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) assertStorable(one);
}
