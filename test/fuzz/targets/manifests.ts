// YAML that somebody gives the demo: a fabric that holds just that, or every problem, each in bounded words.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import { kindsOf } from '../../../src/demo/fabrics/kinds.ts';
import { loadManifests, takeOver } from '../../../src/demo/fabrics/manifests.ts';
import { ManifestsInvalid } from '../../../src/demo/fabrics/manifests-invalid.ts';
import { ClusterStore } from '../../../src/demo/fabrics/store.ts';
import type { Target } from '../target.ts';

const vpc = `apiVersion: vpc.githedgehog.com/v1beta1
kind: VPC
metadata: {name: vpc-01, namespace: default, labels: {a: b}}
spec: {ipv4Namespace: default, subnets: {default: {subnet: 10.0.1.0/24, vlan: 1001}}}
`;
const problemMax = 1_000;

export const manifests: Target = {
  name: 'manifests',
  about: 'YAML manifests that a simulated fabric is to hold',
  seeds: [
    vpc,
    `${vpc}---\n${vpc.replace('vpc-01', 'vpc-02')}---\n`,
    vpc.replace('vpc-01', 'x'.repeat(300)),
    vpc.replace('{a: b}', '{__proto__: b, constructor: {prototype: 1}}'),
    'apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: vpc.githedgehog.com/v1beta1, kind: VPC, metadata: {name: a}}\n- *a\n',
    'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: [*d, *d]\n',
    'a: &a {<<: *a}\n',
    `${'['.repeat(5_000)}`,
    `${'- '.repeat(3_000)}x`,
    'apiVersion: wiring.githedgehog.com/v1beta1\nkind: Switch\nmetadata: {name: 2026-01-01, creationTimestamp: 2026-01-01}\nspec: .nan\n',
  ],
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-fuzz-'));
    const path = join(folder, 'lab.yaml');
    return {
      async run(input) {
        await writeFile(path, input);
        try {
          const store = new ClusterStore({ kinds: kindsOf('v0.113+'), seed: 'fuzz', clock: systemClock });
          const found = await loadManifests([path]);
          takeOver(store, found);
          if ([...store.everything()].length > found.manifests.length) throw new Error('it holds more than was given');
        } catch (thrown) {
          if (!(thrown instanceof ManifestsInvalid)) throw thrown;
          const long = thrown.problems.find((problem) => problem.length > problemMax || /[\r\n]/.test(problem));
          if (thrown.problems.length === 0 || long !== undefined)
            throw new Error(`a problem of ${long?.length} characters`, { cause: thrown });
        }
      },
      close: () => rm(folder, { recursive: true }),
    };
  },
};
