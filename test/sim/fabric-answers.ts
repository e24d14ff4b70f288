// What a simulated fabric sends over the wire, as Kubernetes writes it. In every error it repeats what it was asked with, the
// token too, as a careless proxy does: none of that may be told any further.

import type { FailureCode } from '../../machines/fabric/failure.ts';
import type { Answer } from '../../src/kube/answers.ts';
import type { KubeObject, ServedKind } from '../../src/ports/fabric-api.ts';
import { served } from '../support/fake-fabric-api.ts';

export const kindsServed: readonly ServedKind[] = [
  served('wiring.githedgehog.com', 'v1beta1', 'Switch', 'switches'),
  served('wiring.githedgehog.com', 'v1beta1', 'Server', 'servers'),
  served('vpc.githedgehog.com', 'v1beta1', 'VPC', 'vpcs'),
];

export interface PageAsked {
  readonly what: 'page';
  readonly kind: string;
  readonly limit: number;
  readonly continueToken: string | null;
}

export type Asked =
  | { readonly what: 'groups' | 'clusterUid' }
  | { readonly what: 'kinds'; readonly group: string; readonly version: string }
  | PageAsked;

export function readPath(path: string): Asked {
  if (path === '/apis') return { what: 'groups' };
  if (path.startsWith('/api/v1/namespaces/')) return { what: 'clusterUid' };
  const [, group = '', version = '', plural] =
    /^\/apis\/([^/?]+)\/([^/?]+)(?:\/namespaces\/[^/]+\/([^/?]+))?/.exec(path) ?? [];
  if (plural === undefined) return { what: 'kinds', group, version };
  const query = new URLSearchParams(path.slice(path.indexOf('?')));
  const kind = kindsServed.find((one) => one.group === group && one.plural === plural)?.kind ?? plural;
  return { what: 'page', kind, limit: Number(query.get('limit')), continueToken: query.get('continue') };
}

/** What is asked, in a word or two: for traps, and for who reads. */
export function nameOfAsked(asked: Asked): string {
  return asked.what === 'page' ? `page ${asked.kind}` : asked.what;
}

function answer(status: number, contentType: string, text: string, more: Partial<Answer> = {}): Answer {
  return { status, contentType, retryAfter: null, location: null, body: Buffer.from(text), ...more };
}

export function jsonAnswer(body: object): Answer {
  return answer(200, 'application/json', JSON.stringify(body));
}

/** A `Status` object. */
export function refusal(status: number, why: string, token: string): Answer {
  const message = `${why} (Authorization: Bearer ${token})`;
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status };
  return answer(status, 'application/json', JSON.stringify(body));
}

/** What a server in that trouble answers; null where no answer comes at all. */
export function failing(code: FailureCode, retryAfterMs: number, token: string): Answer | null {
  const said = `your request had the header Authorization: Bearer ${token}`;
  switch (code) {
    case 'UNAUTHORIZED':
      return refusal(401, 'Unauthorized', token);
    case 'THROTTLED':
      return { ...refusal(429, 'too many requests', token), retryAfter: String(Math.ceil(retryAfterMs / 1_000)) };
    case 'SERVER_ERROR':
      return answer(503, 'text/plain', said);
    case 'NOT_KUBERNETES':
      return broken(jsonAnswer({ kind: said, apiVersion: said }));
    case 'REDIRECTED':
      return answer(302, 'text/html', `<p>${said}</p>`, { location: `https://${token}.example/?next=${token}` });
    case 'BODY_BROKEN':
      return broken(answer(200, 'application/json', `{"kind": "${said}`));
    default:
      return null;
  }
}

/** Whatever was asked, after such an answer a run has failed: what one list alone may be refused with is not among them. */
export function endsARun({ status, contentType, body }: Answer): boolean {
  if (status !== 200) return ![403, 404, 410].includes(status);
  return !contentType.includes('json') || brokenBodies.has(body);
}

/** Bodies of answers that are no answers of a Kubernetes API. */
const brokenBodies = new WeakSet<Buffer>();

function broken(made: Answer): Answer {
  brokenBodies.add(made.body);
  return made;
}

export const groupsAnswer: Answer = jsonAnswer({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...new Set(kindsServed.map(({ group }) => group))].map((name) => {
    const versions = kindsServed.filter(({ group }) => group === name).map(({ version }) => ({ version }));
    return { name, versions: versions.slice(0, 1), preferredVersion: versions[0] };
  }),
});

/** Hedgehog is not installed there. */
export const groupless: Answer = jsonAnswer({ kind: 'APIGroupList', apiVersion: 'v1', groups: [] });

const kindsAnswers = new Map<string, Answer>();

export function kindsAnswer(group: string, version: string): Answer {
  const key = `${group}/${version}`;
  const known = kindsAnswers.get(key);
  if (known) return known;
  const resources = kindsServed
    .filter((one) => one.group === group && one.version === version)
    .map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced, verbs: ['get', 'list', 'watch'] }));
  const made = jsonAnswer({ kind: 'APIResourceList', groupVersion: key, resources });
  kindsAnswers.set(key, made);
  return made;
}

/** An object is written once, however often it is listed. */
const texts = new WeakMap<KubeObject, string>();

function textOf(object: KubeObject): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  texts.set(object, text);
  return text;
}

export function listAnswer(
  kind: string,
  items: readonly KubeObject[],
  resourceVersion: string,
  next: string | null,
): Answer {
  const { group, version } = kindsServed.find((one) => one.kind === kind) ?? { group: '', version: '' };
  const head = { kind: `${kind}List`, apiVersion: `${group}/${version}` };
  const metadata = { resourceVersion, ...(next !== null && { continue: next }) };
  const list = JSON.stringify({ ...head, metadata });
  return answer(200, 'application/json', `${list.slice(0, -1)},"items":[${items.map(textOf).join(',')}]}`);
}
