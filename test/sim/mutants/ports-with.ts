// The ports of a daemon with some of them replaced.

import type { Config } from '../../../src/config.ts';
import type { FabricApi } from '../../../src/ports/fabric-api.ts';
import type { FabricLock } from '../../../src/ports/lock.ts';
import type { Claimed, FabricSettings, Store } from '../../../src/ports/store.ts';
import type { DaemonPlace, Ports } from '../daemon.ts';

/** A copy of a store whose methods can be replaced. */
export const storeWith = (ports: Ports, change: Partial<Store>): Ports => ({
  ...ports,
  store: { ...ports.store, ...change },
});

export const timersWith = (ports: Ports, change: Partial<Ports['timers']>): Ports => {
  const { timers } = ports;
  const whole: Ports['timers'] = {
    get shared() {
      return timers.shared;
    },
    arm: (timer) => timers.arm(timer),
    armMany: (many, options) => timers.armMany(many, options),
    cancel: (fabricId) => timers.cancel(fabricId),
    claimDue: (request) => timers.claimDue(request),
    hold: (fabricId, untilMs) => timers.hold(fabricId, untilMs),
    nextMs: () => timers.nextMs(),
    all: () => timers.all(),
    onWake: (wake) => timers.onWake(wake),
  };
  return { ...ports, timers: Object.defineProperties(whole, Object.getOwnPropertyDescriptors(change)) };
};

export const lockWith = (ports: Ports, change: Partial<FabricLock>): Ports => {
  const { lock } = ports;
  const whole: FabricLock = {
    acquire: (fabricId) => lock.acquire(fabricId),
    renew: (lease) => lock.renew(lease),
    release: (lease) => lock.release(lease),
  };
  return { ...ports, lock: { ...whole, ...change } };
};

export const apiWith = (ports: Ports, change: (api: FabricApi) => Partial<FabricApi>): Ports => ({
  ...ports,
  api: (_, api) => ({ ...api, ...change(api) }),
});

export const configWith = (ports: Ports, change: Partial<Config>): Ports => ({
  ...ports,
  config: { ...ports.config, ...change },
});

const neverMs = 1e12;
export const withoutSweep = (ports: Ports): Ports => configWith(ports, { sweepIntervalMs: neverMs });

export const claimWith = (ports: Ports, change: (settings: FabricSettings) => Partial<FabricSettings>): Ports =>
  storeWith(ports, {
    async claim(request) {
      const answer: Claimed = await ports.store.claim(request);
      if (answer.kind !== 'claimed') return answer;
      return { ...answer, settings: { ...answer.settings, ...change(answer.settings) } };
    },
  });

export const rowOf = ({ postgres }: DaemonPlace, fabricId: string) => postgres.database.rows.get(fabricId);
