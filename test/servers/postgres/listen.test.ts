import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Notice } from '../../../src/ports/store.ts';
import { noticeOf } from '../../../src/postgres/listen.ts';
import {
  addFabric,
  claimNow,
  commitRequest,
  daemon,
  neverAborted,
  openStorePlace,
  type StorePlace,
} from '../../support/fabric-store.ts';

let place: StorePlace;

beforeAll(async () => {
  place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
});

afterAll(() => place.close());

/** Listens as this daemon. `until` resolves when a notice that matches has been heard, with all that came before it. */
async function ears() {
  const heard: Notice[] = [];
  let look = () => {};
  const stop = await place.store.listen((notice) => {
    heard.push(notice);
    look();
  });
  return {
    stop,
    until: (matches: (notice: Notice) => boolean) =>
      new Promise<readonly Notice[]>((resolve) => {
        look = () => {
          if (!heard.some(matches)) return;
          // What comes before the next question is for the next question.
          look = () => {};
          resolve(heard.splice(0));
        };
        look();
      }),
  };
}

describe('listening', () => {
  test('hears of settings, of fabrics that come and go, of requests and of what other daemons commit', async () => {
    const { until, stop } = await ears();
    const id = await addFabric(place.sql);
    const about = (what: Notice['what']) => (notice: Notice) =>
      notice.what === what && 'fabricId' in notice && notice.fabricId === id;
    await until(about('settings'));
    await place.sql`update fabric set sync_interval = 30 where id = ${id}`;
    await until(about('settings'));
    await place.sql`insert into fabric_request (fabric_id, asked_by) values (${id}, 'ann')`;
    await until(about('request'));
    const other = place.another('other');
    const theirs = await claimNow({ sql: place.sql, store: other }, id, { daemon: 'other' });
    await other.commit(commitRequest(theirs), neverAborted);
    expect(await until(about('changed'))).toEqual([{ what: 'changed', fabricId: id, by: 'other' }]);
    await place.sql`delete from fabric where id = ${id}`;
    await until(about('settings'));
    await stop();
  });

  test('does not hear its own commits, and a change of nothing is no change', async () => {
    const id = await addFabric(place.sql);
    const { until, stop } = await ears();
    await place.store.commit(commitRequest(await claimNow(place, id)), neverAborted);
    await place.sql`update fabric set sync_interval = sync_interval where id = ${id}`;
    await place.sql`select pg_notify('fabric_syncd', ${JSON.stringify({ what: 'cancel', fabric: id, by: 'ann' })})`;
    expect(await until(({ what }) => what === 'cancel')).toEqual([{ what: 'cancel', fabricId: id, by: 'ann' }]);
    await stop();
  });

  test('after its connection was lost it says that anything may have happened, and hears again', async () => {
    const { until, stop } = await ears();
    await place.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query = 'listen fabric_syncd'`;
    expect(await until(({ what }) => what === 'everything')).toEqual([{ what: 'everything' }]);
    const id = await addFabric(place.sql);
    expect(await until(({ what }) => what === 'settings')).toEqual([{ what: 'settings', fabricId: id }]);
    await stop();
  });

  test('afterwards no connection of it is left', async () => {
    const { stop } = await ears();
    await stop();
    await stop();
    const [left] = await place.sql`
      select count(*)::int as n from pg_stat_activity where datname = current_database() and query = 'listen fabric_syncd'`;
    expect(left?.n).toBe(0);
  });
});

describe('what is said on the channel', () => {
  test.each([
    ['{"what":"insert","fabric":"7"}', { what: 'settings', fabricId: '7' }],
    ['{"what":"changed","fabric":"7","by":"other"}', { what: 'changed', fabricId: '7', by: 'other' }],
    ['{"what":"changed","fabric":"7"}', { what: 'changed', fabricId: '7' }],
    [`{"what":"changed","fabric":"7","by":"${daemon}"}`, null],
    [`{"what":"cancel","fabric":"7","by":"${daemon}"}`, { what: 'cancel', fabricId: '7', by: daemon }],
    ['{"what":"unlock","fabric":"7","by":"ann"}', { what: 'unlock', fabricId: '7', by: 'ann' }],
    ['{"what":"everything"}', { what: 'everything' }],
    ['{"what":"some day","fabric":"7"}', { what: 'everything' }],
    ['{"what":"changed","fabric":"7; drop"}', { what: 'everything' }],
    ['hello', { what: 'everything' }],
    ['null', { what: 'everything' }],
    ['', { what: 'everything' }],
  ])('%s is read as it is meant', (payload, notice) => {
    expect(noticeOf(payload, daemon)).toEqual(notice);
  });
});
