import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { CliFailure } from '../../src/cli/cli-failure.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { runProgram } from '../../src/cli/program.ts';
import { type Verb, verb } from '../../src/cli/verb.ts';
import { everyVerb, verbsFor } from '../../src/cli/verbs.ts';
import type { EndSignal, World } from '../../src/cli/world.ts';
import { systemClock } from '../../src/clock.ts';
import { systemDice } from '../../src/dice.ts';
import { handClock } from '../support/hand-clock.ts';
import { runFabricSyncd } from '../support/run-program.ts';

const doing = (run: Verb['run'], more: Partial<Verb> = {}): readonly Verb[] => [
  verb({ path: ['work'], summary: 'work', examples: ['fabric-syncd work'], run, ...more }),
];

/** A world whose signals and streams are in the test's hand. */
function worldOf(argv: readonly string[], over: Partial<World> = {}) {
  const listeners = new Map<EndSignal, Set<() => void>>();
  const exits: number[] = [];
  const world: World = {
    argv,
    entry: '/fabric-syncd',
    env: {},
    cwd: '/',
    stdin: Readable.from([]),
    stdout: new PassThrough().resume(),
    stderr: new PassThrough().resume(),
    isTerminal: { stdin: false, stdout: false, stderr: false },
    columns: () => null,
    clock: systemClock,
    dice: systemDice,
    hostname: 'noc',
    user: 'daemon',
    pid: 1,
    onSignal(signal, act) {
      const acts = listeners.get(signal) ?? new Set();
      listeners.set(signal, acts.add(act));
      return () => acts.delete(act);
    },
    exitNow: (code) => exits.push(code),
    ...over,
  };
  const send = (signal: EndSignal) => {
    for (const act of [...(listeners.get(signal) ?? [])]) act();
  };
  const listening = () => [...listeners.values()].reduce((sum, acts) => sum + acts.size, 0);
  return { world, send, exits, listening };
}

describe('every verb', async () => {
  const verbs = await everyVerb();

  test.each(verbs.map(({ path }) => path.join(' ')))(
    '%s --help says what it does and shows an example',
    async (words) => {
      const help = await runFabricSyncd([...words.split(' '), '--help']);
      expect(help).toMatchObject({ code: 0, stderr: '' });
      const { summary } = verbs.find(({ path }) => path.join(' ') === words) ?? { summary: 'no such verb' };
      expect(help.stdout).toContain(summary.slice(1));
      expect(help.stdout).toMatch(/--json +print one JSON document/);
      const examples = help.stdout.split('Examples:\n')[1]?.trimEnd().split('\n') ?? [];
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(example).toContain(`fabric-syncd ${words}`);
    },
  );

  test.each(verbs.map(({ path }) => path.join(' ')))('%s is loaded by its own name', async (words) => {
    const loaded = await verbsFor(words.split(' '));
    expect(loaded.map(({ path }) => path.join(' '))).toContain(words);
    if (words !== 'completion') expect(loaded).toHaveLength(1);
  });

  test.each(verbs.map(({ path }) => path.join(' ')))('%s refuses an option that it does not have', async (words) => {
    const refused = await runFabricSyncd([...words.split(' '), '--no-such-option', '--json']);
    expect(refused.code).toBe(exitCodes.usage.code);
    expect(refused.json()).toMatchObject({ error: { code: 'USAGE' } });
  });

  test('stands in the help of the program, unless it is hidden', async () => {
    const { stdout } = await runFabricSyncd(['--help']);
    for (const { path, hidden } of verbs) {
      if (hidden) expect(stdout).not.toContain(path[0]);
      else expect(stdout).toMatch(new RegExp(`^ {2}${path[0]}\\b`, 'm'));
    }
    for (const { code, meaning } of Object.values(exitCodes)) expect(stdout).toContain(`${code}  ${meaning}`);
  });

  test('no two exit codes are the same', () => {
    const codes = Object.values(exitCodes).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('a wrong command line', () => {
  test('without a command prints the help to standard error', async () => {
    const bare = await runFabricSyncd([]);
    expect(bare).toMatchObject({ code: 2, stdout: '' });
    expect(bare.stderr).toContain('Usage: fabric-syncd');
  });

  test('with a misspelt command suggests the right one', async () => {
    const misspelt = await runFabricSyncd(['statsu']);
    expect(misspelt).toMatchObject({ code: 2, stdout: '' });
    expect(misspelt.stderr).toBe(
      "fabric-syncd: unknown command 'statsu'\nhint: (Did you mean status?) See: fabric-syncd --help\n",
    );
  });

  test('with a misspelt second word suggests the right one', async () => {
    expect((await runFabricSyncd(['fabric', 'lst'])).stderr).toContain('Did you mean list?');
  });

  test('with an argument too many is not quietly understood', async () => {
    expect(await runFabricSyncd(['key', 'generate', 'lab'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('the document of --json', () => {
  test('stands alone on standard output, whatever else a verb says', async () => {
    const verbs = doing(async ({ out }) => {
      out.say('words');
      out.note('more words');
      out.table([{ title: 'A' }], [['1']]);
      out.facts([['b', '2']]);
      out.document({ answer: 42 });
      return 'done';
    });
    const run = await runFabricSyncd(['work', '--json'], { verbs });
    expect(run).toMatchObject({ code: 0, stderr: '', stdout: '{"answer":42}\n' });
  });

  test('is for people too where standard output is a terminal', async () => {
    const verbs = doing(async ({ out }) => {
      out.document({ answer: 42 });
      return 'done';
    });
    const { stdout } = await runFabricSyncd(['work', '--json'], { verbs, columns: 80 });
    expect(stdout).toBe('{\n  "answer": 42\n}\n');
  });

  test('is not there without --json', async () => {
    const verbs = doing(async ({ out }) => {
      out.document({ answer: 42 });
      out.say('forty-two');
      return 'done';
    });
    expect(await runFabricSyncd(['work'], { verbs })).toMatchObject({ code: 0, stdout: 'forty-two\n' });
  });

  test('is the error where the verb failed, with what stands beside it', async () => {
    const verbs = doing(async () => {
      throw new CliFailure('refused', 'TOO_LATE', 'it is too late', { hint: 'Be early.', beside: { by_ms: 5 } });
    });
    const run = await runFabricSyncd(['work', '--json'], { verbs });
    expect(run).toMatchObject({ code: exitCodes.refused.code, stderr: '' });
    expect(run.json()).toEqual({ error: { code: 'TOO_LATE', message: 'it is too late', hint: 'Be early.' }, by_ms: 5 });
  });

  test('is one still where the verb failed after it had answered', async () => {
    const verbs = doing(async ({ out }) => {
      out.document({ answer: 42 });
      throw new Error('too late');
    });
    const run = await runFabricSyncd(['work', '--json'], { verbs });
    expect(run.code).toBe(1);
    expect(run.json()).toEqual({ answer: 42 });
  });
});

describe('what failed', () => {
  test('is told on standard error in one line, with what to do below', async () => {
    const verbs = doing(async () => {
      throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres is away', { hint: 'Bring it back.' });
    });
    expect(await runFabricSyncd(['work'], { verbs })).toMatchObject({
      code: exitCodes.database_unavailable.code,
      stdout: '',
      stderr: 'fabric-syncd work: Postgres is away\nhint: Bring it back.\n',
    });
  });

  test('cannot steer the terminal that shows it', async () => {
    const verbs = doing(async () => {
      throw new CliFailure('failed', 'ODD', 'it said \u001b[31mred\u001b[0m \u202eturned', { hint: '\u0007' });
    });
    const { stderr } = await runFabricSyncd(['work'], { verbs });
    expect(stderr).toBe('fabric-syncd work: it said �[31mred�[0m �turned\nhint: �\n');
  });

  test('by a defect of ours has a code as well', async () => {
    const verbs = doing(async () => {
      throw new TypeError('x is not a function');
    });
    const run = await runFabricSyncd(['work', '--json'], { verbs });
    expect(run.code).toBe(1);
    expect(run.json()).toMatchObject({ error: { code: 'INTERNAL', message: 'TypeError: x is not a function' } });
  });

  test('in the configuration is told whole, with its own exit code', async () => {
    const env = { FABRIC_SYNCD_LEASE_TLT: '1s', FABRIC_SYNCD_CONCURRENCY: 'many' };
    const { code, stderr } = await runFabricSyncd(['fabric', 'list'], { env });
    expect(code).toBe(exitCodes.settings.code);
    expect(stderr).toContain('FABRIC_SYNCD_LEASE_TLT is not a setting; did you mean FABRIC_SYNCD_LEASE_TTL?');
    expect(stderr).toContain('FABRIC_SYNCD_CONCURRENCY');
  });
});

describe('colours', () => {
  const verbs = doing(async ({ out }) => {
    out.table([{ title: 'A' }], [[{ text: 'bad', colour: 'red' }]]);
    return 'done';
  });

  test('are for a terminal', async () => {
    expect((await runFabricSyncd(['work'], { verbs, columns: 80 })).stdout).toContain('\u001b[31mbad\u001b[0m');
    expect((await runFabricSyncd(['work'], { verbs })).stdout).toBe('A\nbad\n');
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('are not for one with %o', async (env) => {
    expect((await runFabricSyncd(['work'], { verbs, columns: 80, env })).stdout).toBe('A\nbad\n');
  });
});

describe('an end from outside', () => {
  const untilStopped = doing(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return 'done';
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s stops the verb, and the exit status says so',
    async (signal) => {
      const { world, send, listening } = worldOf(['work']);
      const ended = runProgram(world, untilStopped);
      send(signal);
      expect(await ended).toBe(exitCodes.interrupted.code);
      expect(listening()).toBe(0);
    },
  );

  test('by a second signal is at once', async () => {
    const { world, send, exits } = worldOf(['work'], { clock: handClock() });
    void runProgram(
      world,
      doing(() => new Promise(() => {})),
    );
    send('SIGINT');
    expect(exits).toEqual([]);
    send('SIGINT');
    expect(exits).toEqual([exitCodes.interrupted.code]);
  });

  test('is not held up by a verb that does not listen', async () => {
    const clock = handClock();
    const { world, send } = worldOf(['work'], { clock });
    const ended = runProgram(
      world,
      doing(() => new Promise(() => {})),
    );
    send('SIGTERM');
    clock.advance(5_000);
    expect(await ended).toBe(exitCodes.interrupted.code);
  });

  test('is the verb’s own where it says so', async () => {
    const { world, send, listening } = worldOf(['work']);
    const go = Promise.withResolvers<void>();
    const ended = runProgram(
      world,
      doing(
        async ({ signal }) => {
          await go.promise;
          return signal.aborted ? 'failed' : 'done';
        },
        { ownSignals: true },
      ),
    );
    expect(listening()).toBe(0);
    send('SIGTERM');
    go.resolve();
    expect(await ended).toBe(0);
  });

  test.each([
    ['EPIPE', 0],
    ['ENOSPC', 1],
  ])('by an output that fails with %s has exit status %i', async (code, exit) => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    });
    const { world } = worldOf(['work'], { stdout });
    const verbs = doing(async ({ out, signal }) => {
      out.say('a line');
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return 'done';
    });
    expect(await runProgram(world, verbs)).toBe(exit);
  });

  test('by a disk that is full is told, though the verb was done long before the write failed', async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => setImmediate(done, Object.assign(new Error('full'), { code: 'ENOSPC' })),
    });
    const stderr = new PassThrough();
    const { world } = worldOf(['key', 'generate'], { stdout, stderr });
    expect(await runProgram(world)).toBe(1);
    expect(String(stderr.read())).toContain('standard output cannot be written: full');
  });
});
