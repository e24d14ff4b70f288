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

const latest = () => Source.all.at(-1) as Source;

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
