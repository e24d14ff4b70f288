// Faults that change what an answer says. (Those that change how it arrives are in deliver.ts.)

import { writeToken } from './continue-token.ts';
import type { AnswerDeed } from './faults.ts';
import { isJsonObject, type Json, type JsonObject, sortedJson } from './json.ts';
import { type Answer, expired, jsonType } from './status.ts';
import { uuidOf } from './stored-object.ts';

export function spoil(good: Answer, deed: AnswerDeed): Answer {
  switch (deed.does) {
    case 'expire':
      return expired(writeToken({ revision: 'inconsistent', afterKey: 'default/' }));
    case 'html':
      return {
        status: 200,
        contentType: 'text/html; charset=utf-8',
        body: '<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to continue.</body></html>\n',
      };
    case 'redirect':
      return { status: 302, contentType: 'text/plain', headers: { location: deed.location }, body: '' };
    case 'body':
      return { status: 200, contentType: deed.contentType ?? jsonType, body: deed.text };
    case 'empty':
      return changed(good, (list) => ({
        ...list,
        items: [],
        metadata: { ...metadataOf(list), continue: '', remainingItemCount: undefined },
      }));
    case 'pad':
      return firstItem(good, (item) => annotated(item, 'x'.repeat(deed.bytes)));
    case 'poison':
      return firstItem(good, poisoned);
    case 'endless':
      return changed(good, (list) => ({ ...list, metadata: { ...metadataOf(list), continue: endlessToken } }));
    case 'other_cluster':
      return {
        ...good,
        body: good.body.replaceAll(/"uid":"([0-9a-f-]{36})"/g, (_, uid) => `"uid":"${uuidOf('elsewhere', uid)}"`),
      };
    default:
      return good;
  }
}

/** Goes on from the beginning with whatever is there. */
const endlessToken = writeToken({ revision: 'inconsistent', afterKey: '' });

const metadataOf = (list: JsonObject): JsonObject => (isJsonObject(list.metadata) ? list.metadata : {});

function changed(good: Answer, change: (list: JsonObject) => JsonObject): Answer {
  const list: Json = JSON.parse(good.body);
  return isJsonObject(list) && Array.isArray(list.items) ? { ...good, body: `${sortedJson(change(list))}\n` } : good;
}

function firstItem(good: Answer, change: (item: JsonObject) => JsonObject): Answer {
  return changed(good, (list) => {
    const [first, ...rest] = Array.isArray(list.items) ? list.items : [];
    return isJsonObject(first) ? { ...list, items: [change(first), ...rest] } : list;
  });
}

function annotated(item: JsonObject, text: string): JsonObject {
  const metadata = metadataOf(item);
  const annotations = isJsonObject(metadata.annotations) ? metadata.annotations : {};
  return { ...item, metadata: { ...metadata, annotations: { ...annotations, 'demo.fabric-syncd/padding': text } } };
}

/** Keys that reach for prototypes, a NUL, half a surrogate pair, a number beyond doubles, deep nesting. */
function poisoned(item: JsonObject): JsonObject {
  const hostile: Json = JSON.parse(
    String.raw`{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"nul":"a\u0000b","half":"\ud800","big":123456789012345678901234567890,"bidi":"\u202e"}`,
  );
  let deep: Json = 'bottom';
  for (let level = 0; level < 200; level += 1) deep = [deep];
  const spec = isJsonObject(item.spec) ? item.spec : {};
  return { ...item, spec: { ...spec, hostile, deep } };
}
