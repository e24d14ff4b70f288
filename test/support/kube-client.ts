// The smallest client of a Kubernetes API, on Node's own https and on nothing of ours: what it sees is what is there.

import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';

export interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Target {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** Called with each piece of the body as it arrives. */
  readonly onData?: (piece: Buffer) => void;
}

/** Rejects with Node's own error where no whole answer comes. A connection each. */
export function ask(target: Target, path: string, asking: Asking = {}): Promise<Seen> {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const sent = request(
    `${target.url}${path}`,
    {
      ca: target.caPem,
      agent: false,
      method: asking.method ?? 'GET',
      headers: { authorization: `Bearer ${asking.token ?? target.token}`, ...asking.headers },
      ...(asking.signal && { signal: asking.signal }),
    },
    (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        asking.onData?.(piece);
      });
      response.once('error', reject);
      response.once('end', () => {
        const bytes = Buffer.concat(pieces);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString('utf8'), bytes });
      });
    },
  );
  sent.once('error', reject);
  sent.end(asking.body);
  return promise;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly unknown[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface KubeList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly KubeObject[];
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

/** One page. */
export async function listPage(target: Target, path: string): Promise<KubeList> {
  return JSON.parse((await ask(target, path)).text);
}

/** Every page. */
export async function listAll(target: Target, path: string, limit: number): Promise<readonly KubeList[]> {
  const pages: KubeList[] = [];
  let token = '';
  do {
    const page = await listPage(
      target,
      `${path}?limit=${limit}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`,
    );
    pages.push(page);
    token = page.metadata.continue ?? '';
  } while (token !== '');
  return pages;
}

/** An object as a person wrote it: without what the server adds. */
export function given({ metadata, ...object }: KubeObject): unknown {
  const { uid, resourceVersion, generation, creationTimestamp, managedFields, annotations, ...kept } = metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...own } = annotations ?? {};
  return { ...object, metadata: { ...kept, ...(Object.keys(own).length > 0 && { annotations: own }) } };
}
