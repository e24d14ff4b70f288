// The process by the names of OpenTelemetry's conventions: what a dashboard for any Node program expects.

import { readdirSync } from 'node:fs';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Meter } from '@opentelemetry/api';
import { all, instrumentsOf } from './instruments.ts';
import { LoopWatch, turnMs } from './loop-watch.ts';
import { ofProcess } from './names.ts';

/**
 * Each look asks the process, from now on.
 * @param after calls back once after so many milliseconds. @returns takes that back
 * @returns stops it
 */
export function observeProcess(meter: Meter, after: (ms: number, act: () => void) => () => void): () => void {
  const the = instrumentsOf(meter, ofProcess);
  const instruments = all(the);
  const loop = new LoopWatch();
  let cancelTurn = () => {};
  const turnLater = () => {
    cancelTurn = after(turnMs, () => {
      loop.turn();
      turnLater();
    });
  };
  turnLater();
  const look: Parameters<Meter['addBatchObservableCallback']>[0] = (seen) => {
    const { user, system } = process.cpuUsage();
    seen.observe(the.cpuTime, user / 1e6, { 'cpu.mode': 'user' });
    seen.observe(the.cpuTime, system / 1e6, { 'cpu.mode': 'system' });
    seen.observe(the.memory, process.memoryUsage.rss());
    seen.observe(the.uptime, process.uptime());
    const files = openFiles();
    if (files !== null) seen.observe(the.fileDescriptors, files);
    for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
      seen.observe(the.heapUsed, space_used_size, { 'v8js.heap.space.name': space_name });
    }
    seen.observe(the.loopUtilization, loop.utilization);
    const { delay } = loop;
    if (delay !== null) {
      seen.observe(the.loopDelayMin, delay.min);
      seen.observe(the.loopDelayMean, delay.mean);
      seen.observe(the.loopDelayP50, delay.p50);
      seen.observe(the.loopDelayP99, delay.p99);
      seen.observe(the.loopDelayMax, delay.max);
    }
  };
  meter.addBatchObservableCallback(look, instruments);
  return () => {
    meter.removeBatchObservableCallback(look, instruments);
    cancelTurn();
    loop.stop();
  };
}

function openFiles(): number | null {
  try {
    // One of them is this look itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}
