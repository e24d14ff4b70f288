// Who plays in the demo: three fabrics of realistic sizes, and one for each set of manifests that is given.

import { basename, extname } from 'node:path';
import { busier, type EditRates, usualRates } from './fabrics/editing.ts';
import type { FabricContent } from './fabrics/fabric.ts';

export interface Part {
  readonly name: string;
  readonly description: string;
  readonly content: FabricContent;
  /** Short, so that a minute shows it all. */
  readonly intervalSeconds: number;
  readonly rates: EditRates | null;
}

/** People edit this much faster than in real life. */
const haste = { lab: 600, medium: 200, large: 40 };

const cast: readonly Part[] = [
  {
    name: 'lab',
    description: 'a virtual lab of 5 switches',
    content: { shape: 'lab' },
    intervalSeconds: 5,
    rates: busier(usualRates.lab, haste.lab),
  },
  {
    name: 'medium',
    description: 'a pod of 20 switches; its API fails for a while',
    content: { shape: 'medium' },
    intervalSeconds: 6,
    rates: busier(usualRates.medium, haste.medium),
  },
  {
    name: 'large',
    description: 'a hall of 64 switches',
    content: { shape: 'large' },
    intervalSeconds: 15,
    rates: busier(usualRates.large, haste.large),
  },
];

/** @param manifests files and folders of Hedgehog YAML: each becomes a fabric that serves those very objects */
export function roster(manifests: readonly string[]): readonly Part[] {
  const parts = [...cast];
  for (const path of manifests) {
    parts.push({
      name: freeName(
        basename(path, extname(path)),
        parts.map(({ name }) => name),
      ),
      description: `the manifests in ${path}`,
      content: { manifests: [path] },
      intervalSeconds: 5,
      rates: null,
    });
  }
  return parts;
}

/** A fabric's name from a file's: what a name may not contain becomes a dash. */
function freeName(from: string, taken: readonly string[]): string {
  const stem =
    from
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
      .slice(0, 60) || 'manifests';
  const named = /^\d+$/.test(stem) ? `manifests-${stem}` : stem;
  for (let n = 1; ; n++) {
    const name = n === 1 ? named : `${named}-${n}`;
    if (!taken.includes(name)) return name;
  }
}
