// Reads Hedgehog objects from YAML files, as kubectl would take them, and makes a cluster hold just these.
//
//   M1. What is given is what is served: nothing is defaulted, labelled or dropped but the metadata of the server.
//   M2. Every problem is told, with its file and document, before anything is taken over.
//   M3. Of one object given several times the last stands, as with `kubectl apply -f` over a folder; this is told.

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { draftOf, namespaceOf } from './draft.ts';
import { at, isJsonObject, type Json, type JsonObject, sortedJson } from './json.ts';
import { apiVersionOf, type SimulatedKind } from './kinds.ts';
import { ManifestsInvalid } from './manifests-invalid.ts';
import type { ClusterStore } from './store.ts';
import type { Draft } from './stored-object.ts';

/** One object of a file. */
export interface Manifest {
  /** For people: `vpcs/vpc-01.yaml, document 2`. */
  readonly source: string;
  readonly object: JsonObject;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** One line for each thing that was passed over, and why. */
  readonly remarks: readonly string[];
}

const ours = 'githedgehog.com';

/**
 * @param paths files, or folders that are searched for `.yaml` and `.yml` at any depth
 * @throws ManifestsInvalid with every problem found
 */
export async function loadManifests(paths: readonly string[]): Promise<Manifests> {
  const problems: string[] = [];
  const remarks: string[] = [];
  const manifests: Manifest[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path, problems)) {
      if (/^kustomization\.ya?ml$/i.test(basename(file))) {
        remarks.push(`${file}: passed over: kustomize is not run`);
        continue;
      }
      for (const found of documents(file, await readFile(file, 'utf8'), problems)) {
        sift(found, manifests, remarks, problems);
      }
    }
  }
  if (problems.length > 0) throw new ManifestsInvalid(problems);
  return { manifests, remarks };
}

async function filesAt(path: string, problems: string[]): Promise<string[]> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    problems.push(
      `${path}: ${cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'no such file or folder' : String(cause)}`,
    );
    return [];
  }
  if (!isFolder) return [path];
  const names = await readdir(path, { recursive: true });
  const files = names.filter((name) => /\.ya?ml$/i.test(name)).sort();
  if (files.length === 0) problems.push(`${path}: holds no .yaml or .yml file`);
  return files.map((name) => join(path, name));
}

interface Found {
  readonly source: string;
  readonly value: Json;
}

function documents(file: string, text: string, problems: string[]): Found[] {
  // `merge`: Kubernetes' own reader knows `<<` too.
  const parsed = parseAllDocuments(text, { merge: true });
  const many = parsed.length > 1;
  return [...parsed].flatMap((document, index): Found[] => {
    const source = many ? `${file}, document ${index + 1}` : file;
    const [error] = document.errors;
    if (error) {
      problems.push(`${source}: not YAML: ${error.message.split('\n')[0]}`);
      return [];
    }
    try {
      const value: unknown = document.toJS();
      if (value === null || value === undefined) return [];
      const trouble = notJson(value, '');
      if (trouble === null) return [{ source, value: value as Json }];
      problems.push(`${source}: ${trouble}`);
    } catch (cause) {
      problems.push(`${source}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
    return [];
  });
}

/** Why a value cannot be JSON; null where it can. */
function notJson(value: unknown, path: string): string | null {
  if (typeof value === 'number' && !Number.isFinite(value)) return `${path} is ${value}, which JSON does not have`;
  if (typeof value === 'bigint' || typeof value === 'symbol') return `${path} is not a JSON value`;
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return `${path} is not a JSON value`;
  for (const [key, field] of Object.entries(value)) {
    const trouble = notJson(field, `${path}.${key}`);
    if (trouble !== null) return trouble;
  }
  return null;
}

/** Sorts one document into objects, things to pass over, and problems. Lists are opened. */
function sift({ source, value }: Found, manifests: Manifest[], remarks: string[], problems: string[]): void {
  if (!isJsonObject(value)) {
    problems.push(`${source}: not an object`);
    return;
  }
  const { apiVersion, kind, items } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    const absent = Object.entries({ apiVersion, kind }).filter(([, field]) => typeof field !== 'string');
    problems.push(`${source}: not a Kubernetes object: ${absent.map(([name]) => name).join(' and ')} not set`);
    return;
  }
  if (kind.endsWith('List') && Array.isArray(items)) {
    for (const [index, item] of items.entries()) {
      sift({ source: `${source}, item ${index + 1}`, value: item }, manifests, remarks, problems);
    }
    return;
  }
  const [group = ''] = apiVersion.split('/');
  if (group !== ours && !group.endsWith(`.${ours}`)) {
    remarks.push(`${source}: passed over: ${kind} of ${apiVersion} is not a Hedgehog kind`);
    return;
  }
  const trouble = nameTrouble(value);
  if (trouble !== null) problems.push(`${source}: ${kind}: ${trouble}`);
  else manifests.push({ source, object: value });
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function nameTrouble(object: JsonObject): string | null {
  const name = at(object, 'metadata', 'name');
  if (typeof name !== 'string' || name === '') return 'metadata.name is not set';
  if (name.length > 253 || !subdomain.test(name)) {
    return `metadata.name ${JSON.stringify(name.slice(0, 300))} is not a name: lower case letters, digits, "-" and ".", at most 253`;
  }
  const namespace = at(object, 'metadata', 'namespace');
  if (namespace === undefined || namespace === null || namespace === '') return null;
  if (typeof namespace !== 'string' || !dnsLabel.test(namespace)) {
    return `metadata.namespace ${JSON.stringify(namespace)} is not a name`;
  }
  return null;
}

/**
 * Makes the store hold just these objects: creates, updates and deletes what differs.
 *
 * @returns remarks, one line each
 * @throws ManifestsInvalid where the fabric does not serve a kind or version
 */
export function takeOver(store: ClusterStore, { manifests, remarks: before }: Manifests): readonly string[] {
  const problems: string[] = [];
  const remarks = [...before];
  const wanted = new Map<string, { readonly draft: Draft; readonly source: string }>();
  for (const { source, object } of manifests) {
    const kind = servedKind(store.kinds, object);
    if (typeof kind === 'string') {
      problems.push(`${source}: ${kind}`);
      continue;
    }
    const draft = draftOf(kind, object, namespaceOf(object));
    const key = `${kind.kind} ${draft.namespace}/${draft.name}`;
    const earlier = wanted.get(key);
    if (earlier) remarks.push(`${source}: ${key} was given before in ${earlier.source}: the last stands`);
    if (kind.namespace !== draft.namespace) {
      remarks.push(`${source}: ${key}: a real fabric keeps its ${kind.plural} in the namespace ${kind.namespace}`);
    }
    wanted.set(key, { draft, source });
  }
  if (problems.length > 0) throw new ManifestsInvalid(problems);

  for (const stored of [...store.everything()]) {
    if (!wanted.has(`${stored.kind.kind} ${stored.key}`)) store.delete(stored);
  }
  for (const { draft } of wanted.values()) {
    const stored = store.get(draft.kind, draft.namespace, draft.name);
    if (!stored) store.create(draft);
    else if (shown(stored) !== shown(draft)) store.replace(stored, draft);
  }
  return remarks;
}

function servedKind(kinds: readonly SimulatedKind[], object: JsonObject): SimulatedKind | string {
  const sameName = kinds.filter(({ kind }) => kind === object.kind);
  const exact = sameName.find((kind) => apiVersionOf(kind) === object.apiVersion);
  if (exact) return exact;
  const served = sameName.map(apiVersionOf).join(', ');
  return `no kind ${JSON.stringify(object.kind)} in ${JSON.stringify(object.apiVersion)}${served === '' ? '' : `: this fabric serves it in ${served}`}`;
}

const shown = ({ labels = {}, annotations = {}, metadata = {}, content }: Draft): string =>
  sortedJson({ labels, annotations, metadata, content: typeof content === 'function' ? content() : content });
