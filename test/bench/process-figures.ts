// What the kernel knows of a process (Linux): CPU time and memory, from /proc.

import { readFile, writeFile } from 'node:fs/promises';

/** `USER_HZ`: 100 on every Linux that Node runs on. */
const tickMs = 10;

/** User and system time since it began, in milliseconds, in steps of 10. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name may hold blanks and brackets; the fields after it do not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

export async function rssMiB(pid: number): Promise<number> {
  return await statusMiB(pid, 'VmRSS');
}

/** The most that it had since `forgetPeak`, or ever. */
export async function peakMiB(pid: number): Promise<number> {
  return await statusMiB(pid, 'VmHWM');
}

export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

async function statusMiB(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(kib) / 1_024;
}
