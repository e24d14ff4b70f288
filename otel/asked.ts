// Which signals somebody asked to have exported, by the standard settings.
//
//   Nothing is exported unless asked: by an endpoint, or by naming the exporter. `none` and `OTEL_SDK_DISABLED` win.

export type Environment = Readonly<Record<string, string | undefined>>;
export type Signal = 'TRACES' | 'METRICS' | 'LOGS';

/** `OTEL_SDK_DISABLED`: nothing is measured and nothing is traced. */
export function isDisabled(env: Environment): boolean {
  return env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
}

/** Whether a signal goes out by OTLP. */
export function exportAsked(env: Environment, signal: Signal): boolean {
  if (isDisabled(env)) return false;
  const exporters = (env[`OTEL_${signal}_EXPORTER`] ?? '').split(',').map((one) => one.trim().toLowerCase());
  if (exporters.includes('none')) return false;
  if (exporters.some((one) => one !== '')) return exporters.includes('otlp');
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
}

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
