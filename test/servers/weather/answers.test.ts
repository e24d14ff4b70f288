// Fabrics that are reached, and answer what no run can be made of.

import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Fault } from '../../../src/demo/fabrics/faults.ts';
import { openStation, type Patient, type Station } from './station.ts';
import { endure, type Storm } from './storm.ts';

let station: Station;
beforeAll(async () => {
  station = await openStation();
});
afterAll(() => station.close());

const fault = (fault: Fault) => (patient: Patient) => patient.cluster.faults.set(fault);
const switches = { kind: 'Switch', on: 'list' } as const;
const everyList = { on: 'list' } as const;

const storms: readonly Storm[] = [
  {
    what: '403 on every kind',
    code: 'FORBIDDEN',
    says: /the token may not list any of the kinds: .* is forbidden: User "system:serviceaccount:/,
    advice: 'fabric-syncd rbac NAME',
    connection: 'error',
    strike: fault({ does: 'status', status: 403, where: everyList }),
  },
  {
    what: '404 on every kind',
    code: 'NO_KINDS_SERVED',
    says: /the API serves none of the 15 kinds/,
    advice: 'is Hedgehog Fabric installed on that cluster?',
    connection: 'connected',
    strike: fault({ does: 'status', status: 404, where: everyList }),
  },
  {
    what: '410 in mid-list, again and again',
    code: 'LIST_UNSTABLE',
    says: /the list of Connection broke in each of 4 passes: its continue token expired \(410\)/,
    advice: 'retried automatically',
    connection: 'connected',
    strike: fault({ does: 'expire', where: { kind: 'Connection' } }),
  },
  {
    what: '500 on page 3',
    code: 'SERVER_ERROR',
    says: /answered 500 to \/apis\/wiring\.githedgehog\.com\/v1beta1\/namespaces\/default\/connections/,
    advice: 'see its log if it lasts',
    connection: 'error',
    strike: fault({ does: 'status', status: 500, where: { kind: 'Connection', page: 3 } }),
  },
  {
    what: '503 on everything',
    code: 'SERVER_ERROR',
    says: /answered 503 to/,
    advice: 'retried automatically',
    connection: 'error',
    strike: fault({ does: 'status', status: 503 }),
  },
  {
    what: 'a body that is cut short',
    code: 'BODY_BROKEN',
    says: /is not JSON, or ends early/,
    advice: 'The answer ended early or is not JSON',
    connection: 'error',
    strike: fault({ does: 'truncate', where: switches }),
  },
  {
    what: 'a connection that is reset in mid-body',
    code: 'BODY_BROKEN',
    says: /in the middle of an answer/,
    advice: 'The answer ended early or is not JSON',
    connection: 'error',
    strike: fault({ does: 'reset', where: switches }),
  },
  {
    what: 'a body that stalls',
    code: 'TIMED_OUT',
    says: /the answer stalled/,
    advice: 'answers too slowly or not at all',
    connection: 'disconnected',
    strike: fault({ does: 'stall', where: switches }),
  },
  {
    what: 'a body that drips one byte a second',
    code: 'TIMED_OUT',
    says: /sent \d+ bytes and did not finish within 2500 ms/,
    advice: 'answers too slowly or not at all',
    connection: 'disconnected',
    strike: fault({ does: 'drip', bytesPerSecond: 1, where: switches }),
  },
  {
    what: 'a web page instead of a list',
    code: 'NOT_KUBERNETES',
    says: /answered with a web page instead of JSON/,
    advice: 'perhaps a proxy. Check the server URL',
    connection: 'error',
    strike: fault({ does: 'html', where: everyList }),
  },
  {
    what: 'an empty object instead of a list',
    code: 'NOT_KUBERNETES',
    says: /answered \/apis\/.* with kind nothing instead of a list/,
    advice: 'Check the server URL',
    connection: 'error',
    strike: fault({ does: 'body', text: '{}', where: switches }),
  },
  {
    what: 'a redirect',
    code: 'REDIRECTED',
    says: /answered 302 and sends us to https:\/\/login\.example(?!.*canary)/,
    advice: 'Set the final address',
    connection: 'error',
    strike: fault({ does: 'redirect', location: 'https://login.example/?next=canary' }),
  },
  {
    what: 'pages without end, always the same',
    code: 'LIST_UNSTABLE',
    says: /the list of Connection broke in each of 4 passes: an object came twice/,
    advice: 'retried automatically',
    connection: 'connected',
    strike: fault({ does: 'endless', where: { kind: 'Connection' } }),
  },
  {
    what: 'empty pages without end',
    code: 'NOT_KUBERNETES',
    says: /the list of External has no end: stopped after 2 pages/,
    advice: 'A proxy that ignores the query of a URL may answer there',
    connection: 'error',
    strike: fault({ does: 'endless', where: { kind: 'External' } }),
  },
  {
    what: 'an answer larger than any may be',
    code: 'BODY_TOO_LARGE',
    says: /one answer is larger than 2097152 bytes/,
    advice: 'FABRIC_SYNCD_BODY_MAX',
    connection: 'error',
    strike: fault({ does: 'pad', bytes: 3_000_000, where: switches }),
  },
];

describe.concurrent('a fabric with', () => {
  test.each(storms)('$what', (storm) => endure(station, storm));
});
