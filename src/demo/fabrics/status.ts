// The `Status` bodies that a real API server answers when it cannot give what was asked for, word for word.

import type { JsonObject } from './json.ts';
import type { SimulatedKind } from './kinds.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export const jsonType = 'application/json';

export function json(body: JsonObject, status = 200): Answer {
  return { status, contentType: jsonType, body: `${JSON.stringify(body)}\n` };
}

function failure(code: number, reason: string, message: string, details?: JsonObject): Answer {
  return json(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code,
    },
    code,
  );
}

export const unauthorized = (): Answer => failure(401, 'Unauthorized', 'Unauthorized');

const user = 'system:serviceaccount:default:fabric-syncd';
export type Verb = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete';
interface Resource {
  readonly group: string;
  readonly plural: string;
}
const qualified = ({ group, plural }: Resource): string => (group === '' ? plural : `${plural}.${group}`);

export function forbidden(resource: Resource, verb: Verb, namespace: string | null, name?: string): Answer {
  const scope = namespace === null ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = name === undefined ? qualified(resource) : `${qualified(resource)} "${name}"`;
  return failure(
    403,
    'Forbidden',
    `${what} is forbidden: User "${user}" cannot ${verb} resource "${resource.plural}" in API group "${resource.group}" ${scope}`,
    { ...(name !== undefined && { name }), group: resource.group, kind: resource.plural },
  );
}

/** For a path that is not a resource: discovery is open to every account that has a token, so this is rare. */
export const forbiddenPath = (path: string): Answer =>
  failure(403, 'Forbidden', `forbidden: User "${user}" cannot get path "${path}"`, {});

export const objectNotFound = (resource: Resource, name: string): Answer =>
  failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, {
    name,
    group: resource.group,
    kind: resource.plural,
  });

/** A group and version that are not served at all: not even a `Status`. */
export const pathNotFound = (): Answer => ({
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  headers: { 'x-content-type-options': 'nosniff' },
  body: '404 page not found\n',
});

/** A resource that the group and version do not have. */
export const resourceNotFound = (): Answer =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = (): Answer =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const alreadyExists = (kind: SimulatedKind, name: string): Answer =>
  failure(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, {
    name,
    group: kind.group,
    kind: kind.plural,
  });

export const conflict = (kind: SimulatedKind, name: string): Answer =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(kind)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    { name, group: kind.group, kind: kind.plural },
  );

/** 410: the list can be begun anew, or gone on with by the token in `metadata.continue`, seeing another state. */
export function expired(inconsistentToken: string): Answer {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';
  return json(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: { continue: inconsistentToken },
      status: 'Failure',
      message,
      reason: 'Expired',
      code: 410,
    },
    410,
  );
}

export const badRequest = (message: string): Answer => failure(400, 'BadRequest', message);
export const tooLarge = (): Answer =>
  failure(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728');
export const unsupportedMediaType = (given: string): Answer =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json; got ${given}`,
  );

/** Something in the server itself went wrong. */
export const broken = (what: string): Answer => failure(500, 'InternalError', `Internal error occurred: ${what}`);

/** 429, 500, 503 and others that a server in trouble gives. */
export function inTrouble(status: number, retryAfterS?: number): Answer {
  const details = retryAfterS === undefined ? {} : { retryAfterSeconds: retryAfterS };
  const known: Readonly<Record<number, readonly [string, string]>> = {
    429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
    500: ['InternalError', 'Internal error occurred: etcdserver: request timed out'],
    502: ['InternalError', 'bad gateway'],
    503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
    504: ['Timeout', 'Timeout: request did not complete within the allotted timeout'],
  };
  const [reason, message] = known[status] ?? ['InternalError', `an error on the server (${status})`];
  const answer = failure(status, reason, message, details);
  return retryAfterS === undefined ? answer : { ...answer, headers: { 'retry-after': String(retryAfterS) } };
}
