// The process by the names of OpenTelemetry's conventions: what a dashboard for any Node program expects.

import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Meter } from '@opentelemetry/api';
import { all, instrumentsOf } from './instruments.ts';
import { ofProcess } from './names.ts';

/** How often the event loop's delay is sampled: fine enough for what delays a timer, and free (one wake-up in 20 ms). */
const sampleMs = 20;

/** Each look asks the process, from now on. @returns stops it */
export function observeProcess(meter: Meter): () => void {
  const the = instrumentsOf(meter, ofProcess);
  const instruments = all(the);
  const delay = monitorEventLoopDelay({ resolution: sampleMs });
  delay.enable();
  let loop = performance.eventLoopUtilization();
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
    const utilization = performance.eventLoopUtilization(loop).utilization;
    loop = performance.eventLoopUtilization();
    seen.observe(the.loopUtilization, utilization);
    // Two looks at once: the second one has nothing to tell of.
    if (delay.count > 0) {
      seen.observe(the.loopDelayMin, seconds(delay.min));
      seen.observe(the.loopDelayMean, seconds(delay.mean));
      seen.observe(the.loopDelayP50, seconds(delay.percentile(50)));
      seen.observe(the.loopDelayP99, seconds(delay.percentile(99)));
      seen.observe(the.loopDelayMax, seconds(delay.max));
    }
    delay.reset();
  };
  meter.addBatchObservableCallback(look, instruments);
  return () => {
    meter.removeBatchObservableCallback(look, instruments);
    delay.disable();
  };
}

/** What was measured contains the sampling interval itself, which is taken off. */
const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - sampleMs / 1_000);

function openFiles(): number | null {
  try {
    // One of them is this look itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}
