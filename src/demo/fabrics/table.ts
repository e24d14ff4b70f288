// The answer to `as=Table`: what `kubectl get` prints, computed by the server.

import { at, type Json, type JsonObject } from './json.ts';
import { cellText, followPath } from './json-path.ts';
import type { PrinterColumn } from './kinds.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

const ageColumn: PrinterColumn = { name: 'Age', type: 'date', path: '.metadata.creationTimestamp', priority: 0 };

/**
 * @param metadata of the list (resourceVersion, continue, remainingItemCount)
 * @param nowMs epoch milliseconds: dates are printed as ages
 */
export function table(
  columns: readonly PrinterColumn[],
  objects: readonly JsonObject[],
  options: { readonly metadata: JsonObject; readonly includeObject: IncludeObject; readonly nowMs: number },
): JsonObject {
  const shown = columns.length > 0 ? columns : [ageColumn];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata,
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: 'Name of the object.', priority: 0 },
      ...shown.map(({ name, type, priority }) => ({ name, type, format: '', description: name, priority })),
    ],
    rows: objects.map((object) => ({
      cells: [at(object, 'metadata', 'name') ?? null, ...shown.map((column) => cell(object, column, options.nowMs))],
      ...(options.includeObject !== 'None' && {
        object: options.includeObject === 'Object' ? object : partial(object),
      }),
    })),
  };
}

function partial(object: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function cell(object: JsonObject, column: PrinterColumn, nowMs: number): Json {
  const value = followPath(object, column.path);
  if (value === undefined || value === null) return null;
  switch (column.type) {
    case 'integer':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? age(nowMs - Date.parse(value)) : null;
    case 'string':
      return cellText(value);
  }
}

/** A duration as Kubernetes prints it for people: `21s`, `5m30s`, `7h12m`, `3d4h`, `2y10d`. */
export function age(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  const pair = (whole: number, unit: string, rest: number, restUnit: string) =>
    rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${days}d`;
  if (days < 8 * 365) return pair(Math.floor(days / 365), 'y', days % 365, 'd');
  return `${Math.floor(days / 365)}y`;
}
