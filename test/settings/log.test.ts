// J1 to J3 are those of `src/log.ts`.

import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { type LogOptions, openLog } from '../../src/log.ts';

class Paper extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

async function open(more: Partial<LogOptions> = {}) {
  const paper = new Paper();
  const log = await openLog({ level: 'info', format: 'json', destination: paper, isTerminal: false, ...more });
  return { paper, log };
}

describe('JSON', () => {
  test('each call is one object a line: level and time in words, the fields, the text', async () => {
    const { paper, log } = await open({ base: { daemon: 'host/1/ab' } });
    log.info({ fabric: 'lab', state: 'syncing', epoch: 3, run: '9' }, 'lab: syncing\nreally');
    log.error({ code: 'UNREACHABLE' }, 'gone');
    await log.flush();
    expect(paper.lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        daemon: 'host/1/ab',
        fabric: 'lab',
        state: 'syncing',
        epoch: 3,
        run: '9',
        msg: 'lab: syncing\nreally',
      },
      expect.objectContaining({ level: 'error', code: 'UNREACHABLE', msg: 'gone' }),
    ]);
  });

  test('a child adds its fields to each line, and a line may say otherwise', async () => {
    const { paper, log } = await open();
    const child = log.child({ fabric: 'lab', run: '1' }).child({ epoch: 2 });
    child.warn({ run: '5' }, 'x');
    await log.flush();
    expect(paper.lines[0]).toMatchObject({ fabric: 'lab', epoch: 2, run: '5' });
  });

  test('an error is told with its causes, and without what hangs on it (J1)', async () => {
    const { paper, log } = await open();
    const vendor = Object.assign(new Error('refused'), {
      code: 'ECONNREFUSED',
      command: { name: 'auth', args: ['hunter2'] },
      config: { headers: { authorization: 'Bearer hunter2' } },
    });
    log.error({ err: new FabricFailure('UNREACHABLE', 'no way', { cause: vendor }) }, 'x');
    log.error({ err: 'hunted' }, 'y');
    await log.flush();
    expect(paper.lines[0]?.err).toMatchObject({
      type: 'FabricFailure',
      code: 'UNREACHABLE',
      message: 'no way',
      cause: { message: 'refused', code: 'ECONNREFUSED' },
    });
    expect(paper.lines[1]?.err).toBe('hunted');
    expect(paper.text).not.toContain('hunter2');
  });

  test('secrets lie at any depth, under names made with other words, and in URLs (J1)', async () => {
    const { paper, log } = await open();
    const deep = { a: [{ b: { api_token: 'hunter2', redisPassword: 'hunter2', private_key: 'hunter2' } }] };
    const inner = Object.assign(new Error('connect redis://user:hunter2@host/0'), { token: 'hunter2' });
    const err = new Error('x', { cause: { request: { headers: { Authorization: 'hunter2' } }, inner } });
    log.warn(
      { deep, err, url: 'postgres://u:hunter2@host/db?x=1', bytes: Buffer.from('hunter2') },
      'no redis://:hunter2@h',
    );
    await log.flush();
    expect(paper.text).not.toContain('hunter2');
    expect(paper.lines[0]).toMatchObject({ url: 'postgres://u:***@host/db?x=1', bytes: '[7 bytes]' });
  });

  test('what only looks a little like a secret is told (J1)', async () => {
    const { paper, log } = await open();
    const fields = { monkey: 1, keys: ['a'], tokens: 3, path: 'a:b@c', times: 'https://host:6443/x@y' };
    log.info(fields, 'x');
    await log.flush();
    expect(paper.lines[0]).toMatchObject(fields);
  });

  test('a circle ends, and a number too large for JSON is told (J1)', async () => {
    const { paper, log } = await open();
    const circle: Record<string, unknown> = { epoch: 1n };
    circle.self = circle;
    const loop = new Error('loop');
    loop.cause = loop;
    log.info({ circle, err: loop }, 'x');
    await log.flush();
    expect(paper.lines[0]).toMatchObject({
      circle: { epoch: '1' },
      err: { message: 'loop', cause: { message: 'loop' } },
    });
  });

  test.each(['token', 'password', 'authorization', 'credential', 'secret', 'key', 'sealed'])(
    'what is called %s is blotted out, at the top and one below (J1)',
    async (name) => {
      const { paper, log } = await open();
      log.info({ [name]: 'hunter2', fabric: { [name]: 'hunter2' } }, 'x');
      log.child({ [name]: 'hunter2' }).info({}, 'y');
      await log.flush();
      expect(paper.text).not.toContain('hunter2');
      expect(paper.lines[0]).toMatchObject({ [name]: '[secret]', fabric: { [name]: '[secret]' } });
    },
  );
});

describe('the level', () => {
  test('keeps quieter lines out, and can be changed while it runs, for children as well (J2)', async () => {
    const { paper, log } = await open();
    const child = log.child({ fabric: 'lab' });
    child.debug({}, 'before');
    log.level = 'debug';
    child.debug({}, 'after');
    log.level = 'error';
    child.warn({}, 'too quiet');
    await log.flush();
    expect(paper.lines.map(({ msg }) => msg)).toEqual(['after']);
    expect(log.level).toBe('error');
  });
});

describe('on a terminal', () => {
  test('lines are for people: text, no JSON', async () => {
    const { paper, log } = await open({ format: 'auto', isTerminal: true });
    log.info({ fabric: 'lab' }, 'lab: syncing');
    await log.flush();
    expect(paper.text).toContain('lab: syncing');
    expect(paper.text).not.toContain('{');
    expect(paper.text.endsWith('\n')).toBe(true);
  });

  test.each([
    ['auto', false, true],
    ['json', true, true],
    ['pretty', false, false],
  ] as const)('format %s with a terminal: %s gives JSON: %s', async (format, isTerminal, isJson) => {
    const { paper, log } = await open({ format, isTerminal });
    log.info({}, 'x');
    await log.flush();
    expect(paper.text.startsWith('{')).toBe(isJson);
  });
});

describe('a reader that went away', () => {
  test.each(['json', 'pretty'] as const)('takes nobody with it (%s)', async (format) => {
    const gone = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const { log } = await open({ format, destination: gone });
    log.info({}, 'one');
    log.info({}, 'two');
    await log.flush();
    log.info({}, 'three');
    await log.flush();
    expect(gone.destroyed).toBe(true);
  });
});

describe('flush', () => {
  test.each(['json', 'pretty'] as const)('resolves when all that was said is written (J3, %s)', async (format) => {
    let written = '';
    const slow = new Writable({
      write(chunk: Buffer, _encoding, done) {
        setImmediate(() => {
          written += chunk.toString('utf8');
          done();
        });
      },
    });
    const { log } = await open({ format, destination: slow });
    for (let i = 0; i < 50; i++) log.info({}, `line ${i}.`);
    await log.flush();
    expect(written).toContain('line 49.');
  });
});
