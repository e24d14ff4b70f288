// Simulated fabrics for one test file, stopped when its tests are done.

import { afterEach } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import {
  type FabricContent,
  type FabricOptions,
  type SimulatedFabric,
  startSimulatedFabric,
} from '../../src/demo/fabrics/fabric.ts';
import { systemDice } from '../../src/dice.ts';

type Given = FabricContent & Partial<Omit<FabricOptions, 'shape' | 'manifests'>>;

/** Call it at the top of a test file: the fabrics it starts end after each test. */
export function fabricsOfThisFile(): (given: Given) => Promise<SimulatedFabric> {
  const running: SimulatedFabric[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((fabric) => fabric.stop()));
  });
  return async (given) => {
    const fabric = await startSimulatedFabric({ name: 'tried', clock: systemClock, dice: systemDice, ...given });
    running.push(fabric);
    return fabric;
  };
}
