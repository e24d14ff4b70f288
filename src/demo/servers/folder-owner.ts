// One living process a state folder. Whose it is stands in `owner`, a process number with its start time, so that a number
// that was given away again is not taken for the owner.

import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NotStarted } from './not-started.ts';

/**
 * @param what begins the sentence that refuses
 * @returns gives the folder back
 * @throws NotStarted where another living process has it
 */
export async function claimFolder(dir: string, what: string): Promise<() => Promise<void>> {
  const path = join(dir, 'owner');
  const mine = `${process.pid} ${await startedAt(process.pid)}\n`;
  const found = await readFile(path, 'utf8').catch(() => null);
  if (found !== null) {
    const [pid = '', started = ''] = found.trim().split(' ');
    if (isAlive(Number(pid)) && (await startedAt(Number(pid))) === started) {
      throw new NotStarted(`${what} in ${dir} is in use by process ${pid}: end that one, or use another folder.`);
    }
  }
  // By a link, which is made once and with its whole content: of two who come at once, one is told.
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, mine);
    await rm(path, { force: true });
    await link(draft, path);
  } catch (cause) {
    throw new NotStarted(`${what} in ${dir} cannot be claimed: another start took it just now.`, { cause });
  } finally {
    await rm(draft, { force: true });
  }
  return () => rm(path, { force: true });
}

/** Clock ticks since boot; `-` where the system does not tell. */
async function startedAt(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in brackets and may hold anything; the start time is the 22nd.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
}

function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
