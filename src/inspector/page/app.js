// The page: what it knows, what it asks, and where it is. It draws itself anew, at most once a frame, when any of these
// changes, and once a second for what counts on.

import { render } from '/assets/vendor/preact.js';
import { addressOf, routeOf } from './address.js';
import { Announcer } from './announcer.js';
import { get, logIn, logOut, post, Refusal } from './ask.js';
import { pageAfter, pageFrom } from './fabric-state.js';
import { fleetAfter } from './fleet-state.js';
import { html } from './html.js';
import { Loader } from './loaded.js';
import { narrowScreen } from './narrow-screen.js';
import { after, every, ServerClock } from './server-clock.js';
import { Shell } from './shell.js';
import { Stream } from './stream.js';

/** @import * as Documents from '../documents.ts' */
/** @import { Route } from './address.js' */
/** @import { FabricPage } from './fabric-state.js' */
/** @import { FleetState } from './fleet-state.js' */
/** @import { Connection, Heard } from './stream.js' */

/** Where nothing is told of what changes, it is asked for. */
const askEveryMs = 3_000;
/** Who may act is told by no message: a question that was not answered is asked again. */
const sessionAgainMs = 3_000;

/** What is asked once is not asked again by itself, and not taken back by our giving up. */
const perhapsDone = 'It may still happen: look at the fabric before you ask again.';

export class App {
  clock = new ServerClock();
  /** @type {Route} */
  route = { view: 'fleet', search: '', states: [], sort: 'name', down: false };
  /** @type {{ state: Connection, sinceMs: number }} */
  connection = { state: 'connecting', sinceMs: this.clock.nowMs() };
  /** @type {FleetState | null} */
  fleet = null;
  /** @type {FabricPage | null} */
  page = null;
  /** @type {Documents.SessionDocument | null} */
  session = null;
  /** The daemon that this page was loaded from. @type {string | null} */
  version = null;
  /** What is open over the page: shortcuts, or an act that is to be confirmed. @type {Dialog | null} */
  dialog = null;
  /** What the last act came to. @type {{ good: boolean, text: string, hint: string } | null} */
  notice = null;
  /** @type {'asking' | { refusal: Refusal } | null} */
  login = null;

  /** @type {Loader<Documents.FabricDocument>} */
  fabric = new Loader(this.#answered.bind(this), (document) => this.#took(document));
  /** @type {Loader<Documents.RunDocument>} */
  run = new Loader(this.changed.bind(this));
  /** @type {Loader<Documents.TraceDocument>} */
  trace = new Loader(this.changed.bind(this));
  /** @type {Loader<Documents.TimersDocument>} */
  timers = new Loader(this.changed.bind(this), ({ at }) => this.clock.heard(at));
  /** @type {Loader<Documents.MachineDocument>} */
  machine = new Loader(this.changed.bind(this));

  #root;
  #drawing = false;
  #sessionAsked = 0;
  #announcer = new Announcer();
  #stream = new Stream({
    hear: (heard, whole) => this.#heard(heard, whole),
    onConnection: (state) => this.#connected(state),
  });

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  start() {
    addEventListener('popstate', () => this.#arrive());
    addEventListener('online', () => this.#stream.hurry());
    document.addEventListener('visibilitychange', () => this.#stream.seen(document.visibilityState === 'visible'));
    narrowScreen.addEventListener('change', () => this.changed());
    every(1_000, () => this.changed());
    every(askEveryMs, () => {
      // Nobody looks: the daemon need not look either.
      if (this.connection.state === 'resting') return;
      this.timers.refresh();
      if (this.page?.document.parts.postgres.state === 'missing') this.fabric.refresh();
    });
    this.#askSession();
    this.#arrive();
    // In a tab that was opened behind another one, nothing tells of a change.
    if (document.visibilityState === 'hidden') this.#stream.seen(false);
  }

  /** @param {Route} route @param {{ replace?: boolean }} [how] */
  go(route, { replace = false } = {}) {
    const address = addressOf(route);
    const moves = route.view !== this.route.view || (route.view === 'fabric' && this.#shows !== route.name);
    if (replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    this.#show(route);
    if (moves) {
      scrollTo(0, 0);
      // The next key goes to the new view, and a reader begins there.
      requestAnimationFrame(() => document.getElementById('main')?.focus({ preventScroll: true }));
    }
  }

  changed() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      render(html`<${Shell} app=${this} />`, this.#root);
    });
  }

  /** May this browser change anything? */
  get mayAct() {
    return this.session?.control === true && this.session.who !== null;
  }

  /** @param {Dialog | null} dialog */
  show(dialog) {
    this.dialog = dialog;
    this.changed();
  }

  /** @param {string} fabric @param {Documents.Act} act @param {object} body */
  async act(fabric, act, body) {
    const asked = this.dialog;
    try {
      /** @type {Documents.ActAnswer} */
      const { said } = await post(`/api/fabrics/${encodeURIComponent(fabric)}/${act}`, body);
      this.notice = { good: true, text: said, hint: '' };
      this.fabric.refresh();
    } catch (thrown) {
      const { message, hint, status } = Refusal.of(thrown);
      this.notice = { good: false, text: message, hint: status === 0 ? perhapsDone : hint };
      if (status === 401) this.#askSession();
    }
    // Its own, and none that was opened while the answer was on its way.
    if (this.dialog === asked) this.dialog = null;
    this.changed();
  }

  dismiss() {
    this.notice = null;
    this.changed();
  }

  async logout() {
    try {
      await logOut();
    } catch (thrown) {
      this.notice = { good: false, text: Refusal.of(thrown).message, hint: Refusal.of(thrown).hint };
    }
    this.#askSession();
  }

  /** The fabric that is looked at. */
  get #shows() {
    return this.route.view === 'fabric' ? this.route.name : null;
  }

  #arrive() {
    const route = routeOf(location);
    if (route.view === 'login') this.#logIn();
    this.#show(route);
  }

  /** @param {Route} route */
  #show(route) {
    if (this.#shows !== (route.view === 'fabric' ? route.name : null)) this.page = null;
    this.route = route;
    const fabric = route.view === 'fabric' ? `/api/fabrics/${encodeURIComponent(route.name)}` : null;
    this.fabric.show(fabric);
    this.run.show(
      fabric && route.view === 'fabric' && route.run ? `${fabric}/runs/${encodeURIComponent(route.run)}` : null,
    );
    this.trace.show(route.view === 'fabric' && route.trace ? `/api/traces/${encodeURIComponent(route.trace)}` : null);
    this.timers.show(route.view === 'timers' ? '/api/timers' : null);
    // The chart is the same for all, and for as long as the daemon lives.
    if (route.view === 'fabric') this.machine.show('/api/machine');
    this.#listen();
    this.#title();
    this.changed();
  }

  /**
   * To the fabric that is looked at, with its progress. Of one that is not there, or of which the daemon does not know
   * whether it is, nothing would be told: to all, then.
   */
  #listen() {
    const status = this.fabric.loaded.refusal?.status ?? 0;
    const isUnknown = status === 404 || (status !== 0 && this.page === null);
    this.#stream.open(isUnknown ? null : this.#shows);
  }

  #answered() {
    if (this.route.view === 'fabric') this.#listen();
    this.changed();
  }

  #title() {
    const { route } = this;
    const what = route.view === 'fabric' ? route.name : route.view === 'timers' ? 'Timers' : 'Fleet';
    document.title = `${what} · fabric-syncd`;
  }

  /** @param {Connection} state */
  #connected(state) {
    if (state !== this.connection.state) this.connection = { state, sinceMs: this.clock.nowMs() };
    if (state === 'live') {
      this.fabric.refresh();
      this.timers.refresh();
    }
    this.changed();
  }

  /** @param {Heard} heard @param {boolean} whole whether the whole fleet is listened to */
  #heard(heard, whole) {
    if (heard.type === 'snapshot') {
      this.clock.heard(heard.message.at);
      this.version ??= heard.message.daemon.version;
      // The daemon may be another one, with settings and sessions of its own.
      this.#askSession();
      this.fabric.refresh();
    }
    // It was not there, and now it is.
    if (heard.type === 'fabric' && heard.message.name === this.#shows && !this.page) this.fabric.refresh();
    const before = this.fleet;
    this.fleet = fleetAfter(this.fleet, heard, whole);
    this.#announcer.heard(heard, before, this.#shows);
    if (this.page && isAbout(heard, this.page.document.fabric.id)) {
      this.page = pageAfter(this.page, heard, this.clock.nowMs());
      if (heard.type !== 'progress') this.fabric.refresh();
    }
    if (heard.type === 'parts') this.timers.refresh();
    this.changed();
  }

  /** @param {Documents.FabricDocument} document */
  #took(document) {
    this.clock.heard(document.at);
    this.page = pageFrom(document, this.page);
    // What was not whole when it was asked for: a run in hand, and the trace of one.
    if (this.trace.loaded.document?.spans === null || document.fabric.run !== null) this.trace.refresh();
    if (this.run.loaded.document?.run.finished_at === null) this.run.refresh();
  }

  /** Asked from several places; an answer from before the last question may be from before a login, and is dropped. */
  #askSession() {
    this.#sessionAsked += 1;
    const asked = this.#sessionAsked;
    const take = (/** @type {Documents.SessionDocument | null} */ session) => {
      if (asked !== this.#sessionAsked) return;
      this.session = session;
      this.changed();
    };
    get('/api/session').then(
      (session) => take(/** @type {Documents.SessionDocument} */ (session)),
      () => {
        // Without an answer nobody is logged in: no button is better than one that fails.
        take(null);
        after(sessionAgainMs, () => asked === this.#sessionAsked && this.#askSession());
      },
    );
  }

  /** The token is taken out of the address bar before anything else, so that it is in no history and no screenshot. */
  #logIn() {
    const token = location.hash.slice(1);
    history.replaceState(null, '', '/login');
    if (token === '') return;
    this.login = 'asking';
    logIn(token).then(
      () => {
        this.login = null;
        this.#askSession();
        this.go({ view: 'fleet', search: '', states: [], sort: 'name', down: false }, { replace: true });
      },
      (thrown) => {
        this.login = { refusal: Refusal.of(thrown) };
        this.changed();
      },
    );
  }
}

/** @typedef {{ kind: 'shortcuts' } | { kind: 'act', act: Documents.Act, fabric: Documents.FleetFabric }} Dialog */

/** @param {Heard} heard @param {string} fabricId */
function isAbout(heard, fabricId) {
  switch (heard.type) {
    case 'fabric':
    case 'gone':
      return heard.message.id === fabricId;
    case 'transition':
    case 'progress':
    case 'run':
      return heard.message.fabric_id === fabricId;
    default:
      return false;
  }
}
