// The address bar holds the view: whoever opens a copied link sees the same thing.
//
//   A1. `routeOf(addressOf(route))` is the route again, whatever characters a fabric's name or a search has.
//   A2. What an address says that is not known is left out; it never fails.

/** @import { FabricState } from '../../../machines/fabric/plan.ts' */

/**
 * @typedef {'name' | 'state' | 'status' | 'due' | 'age' | 'objects' | 'changes' | 'duration'} SortKey
 * @typedef {{ view: 'fleet', search: string, states: readonly FabricState[], sort: SortKey, down: boolean }} FleetRoute
 * @typedef {'runs' | 'timeline' | 'settings'} FabricTab
 * @typedef {{ view: 'fabric', name: string, tab: FabricTab, run: string | null, trace: string | null }} FabricRoute
 * @typedef {{ view: 'timers', search: string }} TimersRoute
 * @typedef {{ view: 'login' }} LoginRoute
 * @typedef {{ view: 'lost', path: string }} LostRoute
 * @typedef {FleetRoute | FabricRoute | TimersRoute | LoginRoute | LostRoute} Route
 */

/** Every state, the ones that need a look first. @type {readonly FabricState[]} */
export const allStates = ['errored', 'backoff', 'syncing', 'locked', 'scheduled', 'idle'];
/** @type {readonly SortKey[]} */
const sortKeys = ['name', 'state', 'status', 'due', 'age', 'objects', 'changes', 'duration'];
/** @type {readonly FabricTab[]} */
export const fabricTabs = ['runs', 'timeline', 'settings'];

/** @type {FleetRoute} */
export const fleetRoute = { view: 'fleet', search: '', states: [], sort: 'name', down: false };

/** @type {TimersRoute} */
export const timersRoute = { view: 'timers', search: '' };

/** @param {string} name @returns {FabricRoute} */
export function fabricRoute(name) {
  return { view: 'fabric', name, tab: 'runs', run: null, trace: null };
}

/** @param {{ pathname: string, search: string }} address @returns {Route} */
export function routeOf({ pathname, search }) {
  const asked = new URLSearchParams(search);
  if (pathname === '/' || pathname === '/fleet') {
    const sort = asked.get('sort') ?? '';
    const down = sort.startsWith('-');
    const states = (asked.get('state') ?? '').split(',');
    return {
      view: 'fleet',
      search: asked.get('q') ?? '',
      states: allStates.filter((state) => states.includes(state)),
      sort: sortKeys.find((key) => key === sort.replace(/^-/, '')) ?? 'name',
      down,
    };
  }
  if (pathname === '/timers') return { view: 'timers', search: asked.get('q') ?? '' };
  if (pathname === '/login') return { view: 'login' };
  const fabric = /^\/fabrics\/([^/]+)\/?$/.exec(pathname)?.[1];
  const name = fabric === undefined ? null : decoded(fabric);
  if (name === null) return { view: 'lost', path: pathname };
  return {
    view: 'fabric',
    name,
    tab: fabricTabs.find((tab) => tab === asked.get('tab')) ?? 'runs',
    run: asked.get('run'),
    trace: asked.get('trace'),
  };
}

/** @param {Route} route @returns {string} */
export function addressOf(route) {
  const asked = new URLSearchParams();
  switch (route.view) {
    case 'fleet': {
      if (route.search !== '') asked.set('q', route.search);
      if (route.states.length > 0) asked.set('state', route.states.join(','));
      if (route.sort !== 'name' || route.down) asked.set('sort', `${route.down ? '-' : ''}${route.sort}`);
      return withQuery('/', asked);
    }
    case 'fabric': {
      if (route.tab !== 'runs') asked.set('tab', route.tab);
      if (route.run !== null) asked.set('run', route.run);
      if (route.trace !== null) asked.set('trace', route.trace);
      return withQuery(`/fabrics/${encodeURIComponent(route.name)}`, asked);
    }
    case 'timers': {
      if (route.search !== '') asked.set('q', route.search);
      return withQuery('/timers', asked);
    }
    case 'login':
      return '/login';
    case 'lost':
      return route.path;
  }
}

/** @param {string} path @param {URLSearchParams} asked */
function withQuery(path, asked) {
  // A comma needs no escape, and a link reads better without.
  const query = String(asked).replaceAll('%2C', ',');
  return query === '' ? path : `${path}?${query}`;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
