// An exporter by OTLP where one was asked for and can be had. It reads its `OTEL_EXPORTER_OTLP_*` settings itself.
//
//   EX1. What is wrong with the settings of telemetry is told and costs the telemetry, never the daemon.
//   EX2. A collector that does not take what it is given is told once, and once more when it takes it again.

import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type Environment, exportAsked, exporterTrouble, protocolTrouble, type Signal } from './asked.ts';
import { deliveryFailure } from './delivery-failure.ts';

/** What every exporter does. A method, so that each may have its own kind of items. */
interface Delivers {
  export(items: never, done: (result: ExportResult) => void): void;
}

/** @returns null where nobody asked, or where it cannot be; then `warn` was told why */
export function openExporter<Exporter extends Delivers>(
  { env, signal, warn }: { env: Environment; signal: Signal; warn: (line: string) => void },
  make: () => Exporter,
): Exporter | null {
  const unknown = exporterTrouble(env, signal);
  if (unknown !== null) warn(unknown);
  if (!exportAsked(env, signal)) return null;
  const what = signal.toLowerCase();
  const trouble = protocolTrouble(env, signal);
  if (trouble !== null) {
    warn(`${what} are not exported: ${trouble}`);
    return null;
  }
  try {
    const exporter = make();
    tellTrouble(exporter, what, warn);
    return exporter;
  } catch (cause) {
    warn(`${what} are not exported: ${cause instanceof Error ? cause.message : String(cause)}`);
    return null;
  }
}

/** EX2. */
function tellTrouble(exporter: Delivers, what: string, warn: (line: string) => void): void {
  const deliver = exporter.export.bind(exporter);
  let inTrouble = false;
  exporter.export = (items, done) =>
    deliver(items, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      if (failed && !inTrouble) warn(`${what} are not delivered: ${deliveryFailure(result.error)}`);
      if (!failed && inTrouble) warn(`${what} are delivered again`);
      inTrouble = failed;
      done(result);
    });
}
