// The fleet as the page knows it: a document, and what was told since. Pure: a message makes a new state of the old one.

/** @import { DaemonDocument, FleetDocument, FleetFabric, PartsDocument } from '../documents.ts' */
/** @import { Heard } from './stream.js' */

import { inOrderOfNames } from './fleet-rows.js';

/**
 * @typedef {object} FleetState
 * @property {DaemonDocument} daemon
 * @property {PartsDocument} parts
 * @property {ReadonlyMap<string, FleetFabric>} fabrics by id, in the order of their names
 * @property {boolean} whole false: only the fabric that is looked at is known
 */

/** @param {FleetDocument} document @param {boolean} whole @returns {FleetState} */
export function fleetFrom({ daemon, parts, fabrics }, whole) {
  return {
    daemon,
    parts,
    fabrics: byId(fabrics),
    whole,
  };
}

/**
 * @param {FleetState | null} fleet null: nothing is known yet
 * @param {Heard} heard
 * @param {boolean} whole whether the whole fleet is listened to
 * @returns {FleetState | null}
 */
export function fleetAfter(fleet, heard, whole) {
  if (heard.type === 'snapshot') return fleetFrom(heard.message, whole);
  if (fleet === null) return null;
  switch (heard.type) {
    case 'fabric':
      return { ...fleet, fabrics: withFabric(fleet.fabrics, heard.message) };
    case 'gone': {
      const fabrics = new Map(fleet.fabrics);
      fabrics.delete(heard.message.id);
      return { ...fleet, fabrics };
    }
    case 'parts':
      return { ...fleet, parts: heard.message };
    case 'transition': {
      // Ahead of the fabric's own message, which is made of what the rows say a moment later.
      const { fabric_id, state, to, at, from } = heard.message;
      const fabric = fleet.fabrics.get(fabric_id);
      if (!fabric) return fleet;
      const since = from.split('.', 1)[0] === state ? fabric.since : at;
      const sync_status = state === 'syncing' ? 'syncing' : fabric.sync_status;
      const moved = { ...fabric, state, path: to, since, sync_status };
      return { ...fleet, fabrics: new Map(fleet.fabrics).set(fabric_id, moved) };
    }
    case 'progress':
    case 'run':
      return fleet;
  }
}

/** @param {Iterable<FleetFabric>} fabrics @returns {Map<string, FleetFabric>} */
function byId(fabrics) {
  return new Map(inOrderOfNames(fabrics).map((fabric) => [fabric.id, fabric]));
}

/** @param {FleetState['fabrics']} fabrics @param {FleetFabric} fabric @returns {Map<string, FleetFabric>} */
function withFabric(fabrics, fabric) {
  const found = new Map(fabrics).set(fabric.id, fabric);
  return fabrics.get(fabric.id)?.name === fabric.name ? found : byId(found.values());
}
