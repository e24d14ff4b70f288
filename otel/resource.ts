// Who tells: the attributes that every span, metric and log record of this process shares.

import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Environment } from './asked.ts';

export interface ResourceFacts {
  readonly env: Environment;
  readonly version: string;
  /** What no other process is called: the holder of its leases. */
  readonly instance: string;
}

/** `OTEL_SERVICE_NAME` wins over `OTEL_RESOURCE_ATTRIBUTES`, and those over ours. */
export function resourceOf({ env, version, instance }: ResourceFacts): Resource {
  const name = env.OTEL_SERVICE_NAME?.trim();
  const ours = resourceFromAttributes({
    'service.name': 'fabric-syncd',
    'service.version': version,
    'service.instance.id': instance,
  });
  const given = resourceFromAttributes({
    ...resourceAttributes(env.OTEL_RESOURCE_ATTRIBUTES ?? ''),
    ...(name && { 'service.name': name }),
  });
  return defaultResource().merge(ours).merge(given);
}

/** `key=value,key=value`, percent-encoded. What cannot be read is left out. */
export function resourceAttributes(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, at)).trim();
    const value = decoded(pair.slice(at + 1).trim());
    return key === '' || value === null ? [] : [[key, value] as const];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
