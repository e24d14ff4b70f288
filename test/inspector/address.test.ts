import { describe, expect, test } from 'vitest';
import { baseUrl, isOurHost, readInspectorAddress } from '../../src/inspector/address.ts';

describe('where the inspector listens', () => {
  test.each([
    ['', null],
    ['off', null],
    ['127.0.0.1:9190', { kind: 'tcp', host: '127.0.0.1', port: 9190 }],
    ['[::1]:9190', { kind: 'tcp', host: '::1', port: 9190 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['unix:/run/fabric-syncd/inspector.sock', { kind: 'unix', path: '/run/fabric-syncd/inspector.sock' }],
  ])('"%s" is read', (text, address) => expect(readInspectorAddress(text)).toEqual(address));

  test.each([
    '0.0.0.0:9190',
    '[::]:9190',
    ':9190',
    '9190',
    '10.0.0.1:9190',
    '127.0.0.2:9190',
    'inspector.example:9190',
    '127.0.0.1',
    '127.0.0.1:65536',
    '127.0.0.1:9190/',
    'http://127.0.0.1:9190',
    'on',
    'unix:inspector.sock',
    `unix:/${'x'.repeat(110)}`,
  ])('"%s" is refused with a clear word', (text) => {
    expect(() => readInspectorAddress(text)).toThrow(/loopback only|absolute|107 bytes/);
  });

  test('by a socket any port of loopback is ours, and no other name', () => {
    const socket = { kind: 'unix', path: '/x' } as const;
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1']) expect(isOurHost(socket, 0, host)).toBe(true);
    for (const host of ['evil.example', 'evil.example:80', '']) expect(isOurHost(socket, 0, host)).toBe(false);
    expect(baseUrl({ kind: 'tcp', host: '::1', port: 1 }, 9190)).toBe('http://[::1]:9190');
  });
});
