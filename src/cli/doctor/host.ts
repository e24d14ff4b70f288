import { statSync } from 'node:fs';
import { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { Config } from '../../config.ts';
import { keyPath, readSealingKey } from '../../host-credentials.ts';
import type { SealingKey } from '../../kube/sealing.ts';
import { readVersion } from '../../version.ts';
import { daemonWord } from '../daemon-word.ts';
import { type Finding, fail, failed, ok, warn } from './finding.ts';

const nodeMin = [22, 18] as const;

/** @param version as `process.versions.node` has it */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  if (enough) return ok('node', `Node ${version}, fabric-syncd ${readVersion()}`);
  return fail('node', `Node ${version} is too old`, `Run it with Node ${nodeMin.join('.')} or newer.`);
}

export interface KeyCheck {
  readonly finding: Finding;
  readonly key: SealingKey | null;
}

export function checkKey(config: Config): KeyCheck {
  const path = keyPath(config);
  try {
    const key = readSealingKey(config);
    if (key === null || path === null) {
      const detail = 'no key is set: credentials can be references only';
      return { finding: ok('key', detail), key: null };
    }
    const open = (statSync(path).mode & 0o077) !== 0;
    // systemd keeps its credentials in a folder that nobody else enters.
    if (open && config.keyFile !== null) {
      const detail = `the key ${key.id} in ${path} may be read by others`;
      return { finding: warn('key', detail, `Make it yours alone: chmod 600 ${path}`), key };
    }
    return { finding: ok('key', `${key.id}, from ${path}`), key };
  } catch (thrown) {
    if (thrown instanceof FabricFailure) return { finding: failed('key', thrown), key: null };
    throw thrown;
  }
}

export async function checkDaemon(config: Config, signal: AbortSignal): Promise<Finding> {
  const word = await daemonWord(config.adminSocket, signal);
  if (word === null) {
    return warn(
      'daemon',
      `no daemon answers on ${config.adminSocket}`,
      'Start it: systemctl start fabric-syncd. Or you may not open its socket: run as root or as its user.',
    );
  }
  const detail = `${word.daemon}, version ${word.version}, pid ${word.pid}`;
  if (!word.ok) return warn('daemon', `${detail}: ${word.why}`, 'See its log: journalctl -u fabric-syncd');
  if (word.version !== readVersion()) {
    return warn('daemon', detail, `This program is ${readVersion()}: restart the daemon after an upgrade.`);
  }
  return ok('daemon', detail);
}
