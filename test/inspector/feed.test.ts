import { describe, expect, test } from 'vitest';
import { Feed } from '../../src/inspector/feed.ts';

const limits = { messagesMax: 3, charactersMax: 10_000 };

describe('the feed', () => {
  test('who has an id is told what came after it', () => {
    const feed = new Feed('boot');
    expect(feed.id).toBe('boot-0');
    expect(feed.since('boot-0')).toEqual([]);
    feed.tell('fabric', '{"a":1}', '1');
    feed.tell('gone', '{"b":2}', '2');
    expect(feed.since('boot-0')?.map(({ text }) => text)).toEqual([
      'event: fabric\nid: boot-1\ndata: {"a":1}\n\n',
      'event: gone\nid: boot-2\ndata: {"b":2}\n\n',
    ]);
    expect(feed.since('boot-1')).toHaveLength(1);
    expect(feed.since(feed.id)).toEqual([]);
  });

  test.each(['', 'boot', 'boot-', 'boot-3', 'boot--1', 'other-1', 'boot-1e1', 'boot-99999999999999999999', 'boot-1\n'])(
    'the id "%s" is not known',
    (id) => {
      const feed = new Feed('boot');
      feed.tell('fabric', '{}', '1');
      expect(feed.since(id)).toBeNull();
    },
  );

  test('the oldest gives way, by number and by size', () => {
    const feed = new Feed('boot', limits);
    for (let i = 0; i < 5; i++) feed.tell('fabric', `{"i":${i}}`, '1');
    expect(feed.since('boot-1')).toBeNull();
    expect(feed.since('boot-2')).toHaveLength(3);
    feed.tell('fabric', JSON.stringify('x'.repeat(9_990)), '1');
    expect(feed.since('boot-4')).toBeNull();
    expect(feed.id).toBe('boot-6');
  });

  test('what is told after a gap is not joined to what came before it', () => {
    const feed = new Feed('boot');
    feed.tell('fabric', '{}', '1');
    feed.forget();
    expect(feed.since('boot-1')).toBeNull();
    const { id } = feed;
    feed.tell('fabric', '{}', '1');
    expect(feed.since(id)).toHaveLength(1);
  });

  test('progress goes only to who listens now', () => {
    const feed = new Feed('boot');
    const heard: string[] = [];
    const stop = feed.listen(({ text }) => heard.push(text));
    feed.tellProgress('{}', '1');
    stop();
    feed.tellProgress('{}', '1');
    expect(heard).toEqual(['event: progress\ndata: {}\n\n']);
    expect(feed.since('boot-0')).toEqual([]);
  });
});
