// The half of a login that this page keeps. The browser sends the other half, a cookie, to every port of this host, so to
// what other people serve there as well; what is stored here, only pages of this very origin can read.
//
//   Every tab has it, as every tab has the cookie. Without the cookie it is worth nothing.

const name = 'fabric-syncd key';
/** Where the browser stores nothing: this tab alone is logged in then. @type {string | null} */
let own = null;

/** @returns {Record<string, string>} what a request says of it */
export function keyHeaders() {
  const key = own ?? stored();
  return key === null ? {} : { 'x-fabric-syncd-key': key };
}

/** @param {string | null} key of a login; null: of none any more */
export function keepKey(key) {
  own = null;
  try {
    if (key === null) localStorage.removeItem(name);
    else localStorage.setItem(name, key);
  } catch {
    own = key;
  }
}

function stored() {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
