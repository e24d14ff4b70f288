// The page's stream before a server of one's own: what it says of a connection, when it connects, and when it lets go.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Heard, Stream } from '../../../src/inspector/page/stream.js';

/** What the browser has: one a connection. */
class Source extends EventTarget {
  static readonly OPEN = 1;
  static readonly all: Source[] = [];
  readonly url: string;
  readyState = 0;

  constructor(url: string) {
    super();
    this.url = url;
    Source.all.push(this);
  }

  opens(): void {
    this.readyState = Source.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  breaks(): void {
    this.dispatchEvent(new Event('error'));
  }

  tells(type: string, message: object, lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(message), lastEventId }));
  }

  close(): void {
    this.readyState = 2;
  }
}

const unseenMs = 30_000;
const latest = () => Source.all.at(-1) as Source;
/** Those that are open, or being opened. */
const held = () => Source.all.filter(({ readyState }) => readyState !== 2).map(({ url }) => url);

beforeEach(() => {
  vi.stubGlobal('EventSource', Source);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  Source.all.length = 0;
});

function listening() {
  const heard: (readonly [type: Heard['type'], whole: boolean])[] = [];
  const connections: string[] = [];
  const stream = new Stream({
    hear: ({ type }, whole) => heard.push([type, whole]),
    onConnection: (state) => connections.push(state),
  });
  return { stream, heard, connections };
}

describe('what is told', () => {
  test('is of the whole fleet while all are listened to, whatever was looked at before', () => {
    const { stream, heard } = listening();
    stream.open('gone');
    latest().tells('snapshot', { id: 'a-1' }, 'a-1');
    // It is not there: all are listened to, so that its coming is heard.
    stream.open(null);
    latest().tells('snapshot', { id: 'a-2' }, 'a-2');
    expect(heard).toEqual([
      ['snapshot', false],
      ['snapshot', true],
    ]);
    expect(latest().url, 'one fabric is no beginning of the fleet').toBe('/api/events?');
  });
});

describe('a page that nobody sees', () => {
  test('keeps its connection for a glance at another tab, and then lets go until it is seen', () => {
    const { stream, connections } = listening();
    stream.open(null);
    latest().opens();
    stream.seen(false);
    vi.advanceTimersByTime(unseenMs - 1);
    stream.seen(true);
    vi.advanceTimersByTime(2 * unseenMs);
    expect(Source.all).toHaveLength(1);
    stream.seen(false);
    vi.advanceTimersByTime(unseenMs);
    expect(held()).toEqual([]);
    expect(connections).toEqual(['live', 'resting']);
    stream.seen(true);
    expect(held()).toHaveLength(1);
  });

  test('does not connect again where it waited to', () => {
    const { stream, connections } = listening();
    stream.open(null);
    latest().breaks();
    stream.seen(false);
    vi.advanceTimersByTime(2 * unseenMs);
    expect(held()).toEqual([]);
    expect(connections).toEqual(['lost', 'resting']);
    stream.seen(true);
    expect(held()).toHaveLength(1);
  });

  test('lets go as well where something else is to be listened to meanwhile', () => {
    const { stream } = listening();
    stream.open('gone');
    stream.seen(false);
    stream.open(null);
    latest().opens();
    vi.advanceTimersByTime(unseenMs);
    expect(held()).toEqual([]);
  });

  test('is not woken while it rests, and listens then to what is wanted by now', () => {
    const { stream } = listening();
    stream.open('lab');
    stream.seen(false);
    vi.advanceTimersByTime(unseenMs);
    stream.open(null);
    stream.hurry();
    vi.advanceTimersByTime(2 * unseenMs);
    expect(held()).toEqual([]);
    stream.seen(true);
    expect(held()).toEqual(['/api/events?']);
  });
});
