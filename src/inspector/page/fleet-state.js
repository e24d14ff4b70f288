// The fleet as the page knows it: a document, and what was told since. Pure: a message makes a new state of the old one.

/** @import { DaemonDocument, FleetDocument, FleetFabric, PartsDocument } from '../documents.ts' */
/** @import { Heard } from './stream.js' */

/**
 * @typedef {object} FleetState
 * @property {DaemonDocument} daemon
 * @property {PartsDocument} parts
 * @property {ReadonlyMap<string, FleetFabric>} fabrics by id
 * @property {readonly string[]} orphans
 */

/** @param {FleetDocument} document @returns {FleetState} */
export function fleetFrom({ daemon, parts, fabrics, orphan_timers }) {
  return {
    daemon,
    parts,
    fabrics: new Map(fabrics.map((fabric) => [fabric.id, fabric])),
    orphans: orphan_timers,
  };
}

/**
 * @param {FleetState | null} fleet null: nothing is known yet
 * @param {Heard} heard
 * @returns {FleetState | null}
 */
export function fleetAfter(fleet, heard) {
  if (heard.type === 'snapshot') return fleetFrom(heard.message);
  if (fleet === null) return null;
  switch (heard.type) {
    case 'fabric':
      return { ...fleet, fabrics: new Map(fleet.fabrics).set(heard.message.id, heard.message) };
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

/** @param {FleetState} fleet @param {string} name a name or a number @returns {FleetFabric | null} */
export function fabricNamed(fleet, name) {
  for (const fabric of fleet.fabrics.values()) if (fabric.name === name) return fabric;
  return fleet.fabrics.get(name) ?? null;
}
