import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKubeconfig } from '../../../src/kube/kubeconfig.ts';
import { refusals, type Target } from '../target.ts';

const secret = 'c4n4ry.t0k3n.0f-kubeconfig';

const whole = `apiVersion: v1
kind: Config
current-context: lab
contexts:
- name: lab
  context: {cluster: lab, user: ann, namespace: default}
clusters:
- name: lab
  cluster:
    server: https://10.0.0.1:6443
    tls-server-name: api.example
users:
- name: ann
  user:
    token: ${secret}
`;

export const kubeconfig: Target = {
  name: 'kubeconfig',
  about: 'kubeconfig files',
  seeds: [
    whole,
    whole.replace(/namespace: default/, 'namespace: &a [*a]'),
    whole.replace(/token:.*/, 'exec: {command: sh}'),
    whole.replace(/token:.*/, 'client-certificate-data: QUJD\n    client-key-data: QUJD'),
    whole.replace(/tls-server-name.*/, 'insecure-skip-tls-verify: true'),
    JSON.stringify({ 'current-context': 'x', contexts: [{ name: 'x', context: {} }] }),
    `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: [*d, *d]\n`,
  ],
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-fuzz-'));
    const path = join(folder, 'kubeconfig');
    return {
      async run(input) {
        await writeFile(path, input);
        await refusals(async () => {
          try {
            await readKubeconfig(path, null);
          } catch (thrown) {
            if (thrown instanceof Error && thrown.message.includes(secret)) throw new Error('the token is told');
            throw thrown;
          }
        });
      },
      close: () => rm(folder, { recursive: true }),
    };
  },
};
