import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { placeOf, readServerUrl, redactUrl } from '../../src/kube/address.ts';

describe('a server URL', () => {
  test.each([
    [
      'https://control.example:6443',
      'https://control.example:6443',
      'control.example',
      6443,
      'control.example:6443',
      '',
    ],
    [' https://Control.Example/\n', 'https://control.example', 'control.example', 443, 'control.example:443', ''],
    ['HTTPS://10.1.2.3:6443', 'https://10.1.2.3:6443', '10.1.2.3', 6443, '10.1.2.3:6443', ''],
    ['https://[2001:db8::1]:6443', 'https://[2001:db8::1]:6443', '2001:db8::1', 6443, '[2001:db8::1]:6443', ''],
    [
      'https://r.example/k8s/clusters/c-1//',
      'https://r.example/k8s/clusters/c-1',
      'r.example',
      443,
      'r.example:443',
      '/k8s/clusters/c-1',
    ],
    [
      'https://münchen.example',
      'https://xn--mnchen-3ya.example',
      'xn--mnchen-3ya.example',
      443,
      'xn--mnchen-3ya.example:443',
      '',
    ],
  ])('%s is read', (text, href, hostname, port, hostPort, prefix) => {
    expect(readServerUrl(text)).toEqual({ href, origin: new URL(href).origin, hostname, port, hostPort, prefix });
  });

  test.each([
    ['', 'no server URL'],
    ['control.example:6443', 'does not begin with https://'],
    ['https:control.example', 'does not begin with https://'],
    ['http://control.example:6443', 'not encrypted'],
    ['ftp://control.example', 'does not begin with https://'],
    ['https://', 'not a valid URL'],
    ['https://control.example:99999', 'not a valid URL'],
    ['https://control.example:0', 'port 0'],
    ['https://fe80::1:6443', 'not a valid URL'],
    ['https://[fe80::1%25eth0]:6443', 'not a valid URL'],
    ['https://control example', 'has a space'],
    ['https://control.exa\nmple', 'a control character'],
    ['https:\\\\control.example', 'does not begin with https://'],
    ['https://control.example\\@evil.example', 'a backslash'],
    ['https://@control.example', 'user name or password'],
    ['https://control.example?x=1', 'a query or a fragment'],
    ['https://control.example/?', 'a query or a fragment'],
    ['https://control.example/#', 'a query or a fragment'],
    ['https://10.1.2.010:6443', 'is read as 10.1.2.8'],
    ['https://167838211', 'is read as 10.1.2.3'],
    ['https://0x7f.1', 'is read as 127.0.0.1'],
  ])('%j is refused, and the reason is told', (text, says) => {
    const failure = refusalOf(text);
    expect(failure.code).toBe('SETTINGS_INVALID');
    expect(failure.message).toContain(says);
    expect(failure.hint).toContain('https://HOST:6443');
  });

  test.each([
    'https://admin:hunter2@host',
    'admin:hunter2@host',
    'https:admin:hunter2@//host',
    'admin:hunter2@host//and@more',
    'https://admin:hunter2@[',
    'http://admin:hun/ter2@x',
    'https://x?token=hunter2',
    'x?a#hunter2',
  ])('the password in %s is not repeated', (text) => {
    const { message, hint } = refusalOf(text);
    expect(message + hint).not.toMatch(/hunter2|ter2/);
    expect(redactUrl(text)).not.toMatch(/hunter2|ter2/);
  });

  test('a place names the fabric and where it is', () => {
    expect(placeOf('lab', readServerUrl('https://[::1]'))).toBe('lab ([::1]:443)');
  });
});

function refusalOf(text: string): FabricFailure {
  try {
    readServerUrl(text);
  } catch (thrown) {
    if (thrown instanceof FabricFailure) return thrown;
    throw thrown;
  }
  return expect.fail(`${text} was accepted`);
}
