// Which signals somebody asked to have exported, by the standard settings.
//
//   Nothing is exported unless asked: by an endpoint, or by naming the exporter. `none` and `OTEL_SDK_DISABLED` win.

export type Environment = Readonly<Record<string, string | undefined>>;
export type Signal = 'TRACES' | 'METRICS' | 'LOGS';

/** `OTEL_SDK_DISABLED`: nothing is measured and nothing is traced. */
export function isDisabled(env: Environment): boolean {
  return env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
}

/** As they were named; empty where none was. */
function exportersOf(env: Environment, signal: Signal): readonly string[] {
  return (env[`OTEL_${signal}_EXPORTER`] ?? '')
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== '');
}

/** Whether a signal goes out by OTLP. */
export function exportAsked(env: Environment, signal: Signal): boolean {
  if (isDisabled(env)) return false;
  const exporters = exportersOf(env, signal);
  if (exporters.includes('none')) return false;
  if (exporters.length > 0) return exporters.includes('otlp');
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
}

/**
 * Exporters that somebody asked for and that are not to be had: nothing may be silently left out.
 * @returns what is wrong, in words; null where nothing is
 */
export function exporterTrouble(env: Environment, signal: Signal): string | null {
  if (isDisabled(env)) return null;
  const unknown = exportersOf(env, signal).filter((one) => one !== 'otlp' && one !== 'none');
  if (unknown.length === 0) return null;
  const named = unknown.map((one) => JSON.stringify(one)).join(', ');
  const instead = signal === 'METRICS' && unknown.includes('prometheus') ? `; ${prometheusInstead}` : '';
  return `OTEL_${signal}_EXPORTER: there is no exporter ${named}, only otlp and none${instead}`;
}

const prometheusInstead = 'Prometheus reads them on the admin socket, and where FABRIC_SYNCD_METRICS_LISTEN says';

/** A time in milliseconds; `otherwise` where it is not set or makes no sense. */
export function milliseconds(text: string | undefined, otherwise: number): number {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : otherwise;
}

/** A count above 0; `otherwise` where it is not set or makes no sense. */
export function whole(text: string | undefined, otherwise: number): number {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isSafeInteger(value) && value > 0 ? value : otherwise;
}

/**
 * The one protocol that is spoken, for a signal that somebody asked to have exported.
 * @returns what is wrong with what was asked for, in words; null where nothing is
 */
export function protocolTrouble(env: Environment, signal: Signal): string | null {
  // Set and empty is not set, by the specification.
  const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf';
  return protocol === 'http/protobuf'
    ? null
    : `the protocol ${JSON.stringify(protocol)} is not spoken, only http/protobuf`;
}
