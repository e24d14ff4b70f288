// An exporter by OTLP where one was asked for and can be had. It reads its `OTEL_EXPORTER_OTLP_*` settings itself.
//
//   What is wrong with the settings of telemetry is told and costs the telemetry, never the daemon.

import { type Environment, exportAsked, type Signal } from './asked.ts';

/** @returns null where nobody asked, or where it can not be; then `warn` was told why */
export function openExporter<Exporter>(
  { env, signal, warn }: { env: Environment; signal: Signal; warn: (line: string) => void },
  make: () => Exporter,
): Exporter | null {
  if (!exportAsked(env, signal)) return null;
  const what = signal.toLowerCase();
  const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf';
  if (protocol !== 'http/protobuf') {
    warn(`${what} are not exported: the protocol ${JSON.stringify(protocol)} is not spoken, only http/protobuf`);
    return null;
  }
  try {
    return make();
  } catch (cause) {
    warn(`${what} are not exported: ${cause instanceof Error ? cause.message : String(cause)}`);
    return null;
  }
}
