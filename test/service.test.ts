import { expect, test } from 'vitest';
import { endAll, endingAll, type Service, startAll } from '../src/service.ts';

/** What is done is written down; `fails` are the acts that fail, such as `stop b`. */
function services(names: string, fails: readonly string[] = []) {
  const done: string[] = [];
  const act = async (what: string) => {
    done.push(what);
    if (fails.includes(what)) throw new Error(`${what} failed`);
  };
  const all = [...names].map(
    (name): Service => ({ name, start: () => act(`start ${name}`), stop: () => act(`stop ${name}`) }),
  );
  const heard: unknown[] = [];
  return { all, done, heard, hear: (cause: unknown) => heard.push(cause) };
}

test('services start in order and stop in the reverse of it', async () => {
  const { all, done, hear } = services('abc');
  const stopAll = await startAll(all, hear);
  await stopAll();
  await stopAll();
  expect(done).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
});

test('where one does not start, those before it stop, also where one of them does not; its own error is thrown', async () => {
  const { all, done, heard, hear } = services('abcd', ['start c', 'stop b']);
  await expect(startAll(all, hear)).rejects.toThrow('start c failed');
  expect(done).toEqual(['start a', 'start b', 'start c', 'stop b', 'stop a']);
  expect(heard).toMatchObject([{ message: 'b did not stop cleanly', cause: { message: 'stop b failed' } }]);
});

test('each is stopped, however many do not stop cleanly: the first error is thrown, the others are heard', async () => {
  const { all, done, heard, hear } = services('abc', ['stop a', 'stop c']);
  const stopAll = await startAll(all, hear);
  await expect(stopAll()).rejects.toMatchObject({ message: 'c did not stop cleanly' });
  expect(done.slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
  expect(heard).toMatchObject([{ message: 'a did not stop cleanly' }]);
});

test('what ends at once and what ends later are ended in order, one after the other', async () => {
  const done: string[] = [];
  const later = async () => {
    await Promise.resolve();
    done.push('later');
  };
  await endAll([later, () => done.push('at once')], () => {});
  expect(done).toEqual(['later', 'at once']);
});

test('what was opened while the work lasted is ended after it; the first error is thrown, be it the work’s or not', async () => {
  const done: string[] = [];
  const heard: unknown[] = [];
  const failing = (what: string) => () => Promise.reject(new Error(`${what} failed`));
  const ends: (() => unknown)[] = [() => done.push('outer')];
  const work = async () => {
    ends.unshift(() => done.push('inner'));
    return 'worked';
  };
  expect(await endingAll(work, ends, (cause) => heard.push(cause))).toBe('worked');
  expect(done).toEqual(['inner', 'outer']);
  const hear = (cause: unknown) => heard.push((cause as Error).message);
  await expect(endingAll(failing('work'), [failing('end'), failing('other')], hear)).rejects.toThrow('work failed');
  expect(heard.splice(0)).toEqual(['other failed', 'end failed']);
  await expect(endingAll(work, [failing('end'), failing('other')], hear)).rejects.toThrow('end failed');
  expect(heard).toEqual(['other failed']);
});
