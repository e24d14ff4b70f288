// Runs simulated fabrics and answers questions about them, wherever the questions come from.

import type { Clock } from '../../clock.ts';
import type { Dice } from '../../dice.ts';
import type { Edits } from './edits.ts';
import { type SimulatedFabric, startSimulatedFabric } from './fabric.ts';
import { type FabricFarm, type FarmFabric, startFabricFarm } from './farm.ts';
import type { Act, AnswerTo, Ask, FabricFacts, QuestionName, Usage } from './protocol.ts';
import type { ClusterStore } from './store.ts';

export interface HostOptions {
  readonly clock: Clock;
  readonly dice: Dice;
  /** What this process has used so far. */
  readonly usage: () => Usage;
}

type Handlers = { readonly [Name in QuestionName]: (ask: Ask<Name>) => AnswerTo<Name> | Promise<AnswerTo<Name>> };

export class FabricHost {
  readonly #options: HostOptions;
  readonly #fabrics = new Map<string, SimulatedFabric>();
  #farm: FabricFarm | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  async answer<Name extends QuestionName>(name: Name, ask: Ask<Name>): Promise<AnswerTo<Name>> {
    return this.#handlers[name](ask);
  }

  /** Stops every fabric. Safe to repeat. */
  async stop(): Promise<void> {
    const running = [...this.#fabrics.values(), ...(this.#farm ? [this.#farm] : [])];
    this.#fabrics.clear();
    this.#farm = null;
    await Promise.all(running.map((one) => one.stop()));
  }

  readonly #handlers: Handlers = {
    start: async (order) => {
      if (this.#fabrics.has(order.name)) throw new Error(`the fabric ${order.name} runs already`);
      const fabric = await startSimulatedFabric({ ...order, clock: this.#options.clock, dice: this.#options.dice });
      this.#fabrics.set(order.name, fabric);
      return factsOf(fabric);
    },
    startFarm: async (order) => {
      if (this.#farm) throw new Error('the farm runs already');
      this.#farm = await startFabricFarm({ ...order, clock: this.#options.clock, dice: this.#options.dice });
      const { caPem, token, fabrics } = this.#farm;
      return { caPem, token, urls: fabrics.map(({ url }) => url) };
    },
    setFault: ({ fabric, fault }) => this.#find(fabric).faults.set(fault),
    clearFault: async ({ fabric, id }) => {
      await this.#find(fabric).faults.clear(id);
      return null;
    },
    act: ({ fabric, act, howMany = 1 }) => perform(this.#find(fabric).edits, act, howMany),
    figures: ({ fabric }) => {
      const found = this.#find(fabric);
      const connections = 'connections' in found ? found.connections : this.#farm?.connections;
      return {
        site: found.counts,
        connections: connections ?? { open: 0, accepted: 0 },
        objects: objectsOf(found.store),
        revision: found.store.revision,
      };
    },
    accesses: ({ fabric, forget = false }) => {
      const found = this.#fabrics.get(fabric);
      if (!found) throw new Error(`no fabric ${fabric} runs here`);
      const accesses = [...found.accesses];
      if (forget) found.forgetAccesses();
      return accesses;
    },
    usage: () => this.#options.usage(),
    stopFabric: async ({ fabric }) => {
      const found = this.#fabrics.get(fabric);
      this.#fabrics.delete(fabric);
      await found?.stop();
      return null;
    },
  };

  #find(name: string): SimulatedFabric | FarmFabric {
    const plot = /^farm\/(\d+)$/.exec(name)?.[1];
    const found = plot === undefined ? this.#fabrics.get(name) : this.#farm?.fabrics[Number(plot)];
    if (!found) throw new Error(`no fabric ${name} runs here`);
    return found;
  }
}

function perform(edits: Edits, act: Act, howMany: number): number {
  if (act === 'attach' || act === 'describeServers') return edits[act](howMany);
  if (act === 'refreshAll') return edits.refreshAll();
  let done = 0;
  for (let turn = 0; turn < howMany; turn += 1) if (edits[act]()) done += 1;
  return done;
}

function factsOf(fabric: SimulatedFabric): FabricFacts {
  const { name, url, caPem, token, clusterUid, remarks, store } = fabric;
  return { name, url, caPem, token, clusterUid, kubeconfig: fabric.kubeconfig(), remarks, objects: objectsOf(store) };
}

function objectsOf(store: ClusterStore): Record<string, number> {
  return Object.fromEntries(store.kinds.map((kind) => [kind.kind, store.count(kind)]));
}
