// What is stored of objects: the rows in memory keep the hash of a content alone, so the contents are kept here, as they were
// sent. What an object of a simulated fabric is to be stored as is written here once more, without the product's hand.

import { hash } from 'node:crypto';
import type { KubeObject } from '../../src/ports/fabric-api.ts';
import type { StagedObject } from '../../src/ports/store.ts';

export class Contents {
  readonly #texts = new Map<string, string>();

  /** @returns what is wrong with what is to be stored, or null */
  learn(staged: Iterable<StagedObject>): string | null {
    for (const { kind, name, json, hash: told } of staged) {
      if (this.#texts.get(told) === json) continue;
      if (hash('sha256', json, 'base64') !== told) return `c. the hash of ${kind} ${name} is not that of its content`;
      this.#texts.set(told, json);
    }
    return null;
  }

  /** Whether this hash stands for what the fabric says of the object. */
  isOf(told: string, object: KubeObject): boolean {
    return this.#texts.get(told) === expected(object);
  }
}

const texts = new WeakMap<KubeObject, string>();

function expected(object: KubeObject): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const { labels } = object.metadata as { labels: object };
  const text = JSON.stringify({ metadata: { labels }, spec: object.spec });
  texts.set(object, text);
  return text;
}
