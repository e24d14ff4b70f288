import { FabricFailure } from '../../machines/fabric/failure.ts';
import { readSealingKey } from '../host-credentials.ts';
import { keyIdOf, open, type SealingKey, seal } from '../kube/sealing.ts';
import type { FabricBook, FabricRecord } from '../ports/fabric-settings.ts';
import { CliFailure } from './cli-failure.ts';
import { daemonKeys } from './daemon-word.ts';
import { type Settings, withSettings } from './database.ts';
import type { Exit } from './exit-codes.ts';
import { plain } from './plain-text.ts';
import { type Call, verb } from './verb.ts';

type Resealed = 'resealed' | 'kept' | 'changed' | FabricFailure;

export const keyRotateVerb = verb({
  path: ['key', 'rotate'],
  summary: 'seal every stored credential anew, with the first key of the key file',
  details:
    'A key file may hold several keys, one a line: the first seals, every one opens. To rotate: put a new key in front of ' +
    'the old one, as (umask 077; fabric-syncd key generate; cat OLD) > NEW does, restart every daemon so that it has both, ' +
    'run this, and take the old line away when it says that ' +
    'nothing is sealed with it any more. It is safe to repeat and to interrupt, and no sync is disturbed.',
  examples: ['fabric-syncd key rotate', 'fabric-syncd key rotate --json'],
  run: (call) => withSettings(call, (settings) => rotate(call, settings)),
});

async function rotate({ out, signal }: Call, { config, book }: Settings): Promise<Exit> {
  const key = readSealingKey(config);
  if (key === null) {
    throw new CliFailure('settings', 'KEY_MISSING', 'there is no key to seal with', {
      hint: 'Name the file that holds the new key in its first line and the old one below: FABRIC_SYNCD_KEY_FILE=FILE',
    });
  }
  await assertDaemonOpens(key, config.adminSocket, signal);
  const count = { resealed: 0, kept: 0, changed: 0, failed: 0 };
  const failures: object[] = [];
  const stillUsed = new Set<string>();
  for (const record of await book.list()) {
    signal.throwIfAborted();
    if (record.credential.kind !== 'sealed') continue;
    const ending = await reseal(book, record, record.credential.sealed, key);
    if (!(ending instanceof FabricFailure)) {
      count[ending]++;
      continue;
    }
    count.failed++;
    stillUsed.add(keyIdOf(record.credential.sealed) ?? 'unknown');
    const { code, message, hint } = ending;
    failures.push({ fabric: record.name, id: record.fabricId, code, message, hint });
    out.note(`${plain(record.name)}: left as it is: ${plain(message)}`);
  }
  out.document({ key_id: key.id, ...count, failures, older_keys_in_use: [...stillUsed] });
  out.say(`${count.resealed} credential(s) sealed anew with the key ${key.id}; ${count.kept} had been already.`);
  if (count.changed > 0) out.note(`${count.changed} changed meanwhile. Run it again to be sure.`);
  if (count.failed === 0 && count.changed === 0 && key.older.length > 0) {
    out.note(
      `Nothing is sealed with ${key.older.map(({ id }) => id).join(', ')} any more: take it out of the key file.`,
    );
  }
  if (count.failed === 0) return 'done';
  return count.resealed + count.kept + count.changed > 0 ? 'some_failed' : 'failed';
}

async function reseal(
  book: FabricBook,
  { fabricId }: FabricRecord,
  sealed: Uint8Array,
  key: SealingKey,
): Promise<Resealed> {
  if (keyIdOf(sealed) === key.id) return 'kept';
  let opened: string;
  try {
    opened = open(key, fabricId, sealed);
  } catch (thrown) {
    if (thrown instanceof FabricFailure) return thrown;
    throw thrown;
  }
  return (await book.reseal(fabricId, sealed, seal(key, fabricId, opened))) ? 'resealed' : 'changed';
}

/** A daemon that was started before the file was changed may have an older copy of it, as systemd hands it over. */
async function assertDaemonOpens(key: SealingKey, socketPath: string, signal: AbortSignal): Promise<void> {
  const keys = await daemonKeys(socketPath, signal);
  if (keys === null || keys.includes(key.id)) return;
  throw new CliFailure('refused', 'KEY_UNKNOWN_TO_DAEMON', `the running daemon does not have the key ${key.id} yet`, {
    hint: 'Restart it first, or it could open no credential any more: systemctl restart fabric-syncd',
  });
}
