// V1 and V2 of `src/log-level.ts`, and its face on the admin socket.

import type { IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { setLogLevel } from '../../src/admin/log-level-answer.ts';
import { type LogLine, openLog } from '../../src/log.ts';
import { LogLevels } from '../../src/log-level.ts';
import { handClock } from '../support/hand-clock.ts';

async function opened() {
  const paper = new PassThrough();
  const said: string[] = [];
  paper.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n')) if (line !== '') said.push(JSON.parse(line).msg);
  });
  const log = await openLog({ level: 'info', format: 'json', destination: paper, isTerminal: false });
  const clock = handClock();
  return { log, clock, said, levels: new LogLevels(log, clock) };
}

describe('a level that is set', () => {
  test('takes effect at once, for children that were made before as well, and is told', async () => {
    const { log, levels, said } = await opened();
    const child = log.child({ fabric: 'lab' });
    child.debug({}, 'before');
    expect(levels.set('debug', null, 'ann@noc')).toEqual({ level: 'debug', configured: 'info', until: null });
    child.debug({}, 'after');
    await log.flush();
    expect(said).toEqual(['the log level is debug: ann@noc asked', 'after']);
  });

  test('ends by itself when its time is over, and not before', async () => {
    const { log, clock, levels } = await opened();
    expect(levels.set('debug', 600_000, 'ann@noc').until).toBe(new Date(clock.nowMs() + 600_000).toISOString());
    clock.advance(599_999);
    expect(log.level).toBe('debug');
    clock.advance(1);
    expect(levels.view()).toEqual({ level: 'info', configured: 'info', until: null });
  });

  test('is not ended by the time of an earlier one', async () => {
    const { log, clock, levels } = await opened();
    levels.set('debug', 1_000, 'ann@noc');
    levels.set('trace', 5_000, 'ann@noc');
    clock.advance(1_000);
    expect(log.level).toBe('trace');
    levels.set('debug', null, 'ann@noc');
    clock.advance(10_000);
    expect(log.level).toBe('debug');
  });

  test('ends with a reload, also one without an end; a reload where nothing was set says nothing', async () => {
    const { log, levels, said } = await opened();
    levels.set('warn', null, 'ann@noc');
    levels.restore('reloaded');
    levels.restore('reloaded');
    await log.flush();
    expect(log.level).toBe('info');
    // Whoever makes it quiet is told before it is.
    expect(said).toEqual(['the log level is warn: ann@noc asked', 'the log level is info again: reloaded']);
  });
});

describe('the admin socket', () => {
  const post = (body: string) => Readable.from([Buffer.from(body)]) as unknown as IncomingMessage;

  test.each([
    ['no JSON', 400],
    ['null', 400],
    ['"debug"', 400],
    ['{}', 400],
    ['{"level":"loud"}', 400],
    ['{"level":"debug","for_ms":0}', 400],
    ['{"level":"debug","for_ms":1.5}', 400],
    ['{"level":"debug","for_ms":"10m"}', 400],
    ['{"level":"debug","for_ms":604800001}', 400],
    [`{"level":"debug","x":"${'y'.repeat(2_000)}"}`, 413],
  ])('refuses %s, and nothing is changed', async (body, status) => {
    const { log, levels } = await opened();
    expect(await setLogLevel(levels, post(body))).toMatchObject({ status });
    expect(log.level).toBe('info');
  });

  test.each(['{"level":"debug"}', '{"level":"debug","for_ms":null}', '{"level":"debug","for_ms":1000}'])(
    'takes %s',
    async (body) => {
      const { log, levels } = await opened();
      expect(await setLogLevel(levels, post(body))).toMatchObject({ status: 200, body: { level: 'debug' } });
      expect(log.level).toBe('debug');
    },
  );
});

describe('who hears the lines besides', () => {
  test('gets what is printed, without its secrets, and nothing that the level holds back', async () => {
    const { log } = await opened();
    const heard: LogLine[] = [];
    log.alsoTo((line) => heard.push(line));
    log.child({ fabric: 'lab' }).warn({ token: 'hunter2', at: 'redis://u:hunter2@r' }, 'to postgres://u:hunter2@p');
    log.debug({}, 'held back');
    expect(heard).toEqual([
      {
        level: 'warn',
        fields: { fabric: 'lab', token: '[secret]', at: 'redis://u:***@r' },
        line: 'to postgres://u:***@p',
      },
    ]);
  });

  test('does not break the log', async () => {
    const { log, said } = await opened();
    log.alsoTo(() => {
      throw new Error('a collector with a cold');
    });
    log.info({}, 'said all the same');
    await log.flush();
    expect(said).toEqual(['said all the same']);
  });
});
