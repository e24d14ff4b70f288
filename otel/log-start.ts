// The log by OTLP, where somebody asked for it: what is printed is sent as well, with the span that it belongs to.
//
//   LO1. The queue is bounded; a line that finds it full is dropped and counted (`otel.sdk.processor.log.processed` with
//        an `error.type`). Whoever says a line never waits.
//   LO2. What comes here is without secrets already, and is cut to a bounded length.

import { type AnyValue, type MeterProvider, SeverityNumber } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { type Environment, milliseconds, whole } from './asked.ts';
import { openExporter } from './open-exporter.ts';

export interface ToldLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly line: string;
}

export interface LogExport {
  send(line: ToldLine): void;
  /** Sends what is left, within `stopMsMax`. */
  stop(): Promise<void>;
}

const severity = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

/** The specification's defaults. */
const queueDefault = { max: 2_048, batch: 512, delayMs: 1_000, timeoutMs: 30_000 };
const limits = { attributeCountLimit: 64, attributeValueLengthLimit: 8_192 };
const stopMsMax = 3_000;

/**
 * @param meterProvider where the queue tells of itself
 * @returns null where nobody asked for it
 */
export function startLogExport(options: {
  readonly env: Environment;
  readonly resource: Resource;
  readonly version: string;
  readonly meterProvider: MeterProvider;
  /** One line for the log. */
  readonly warn: (line: string) => void;
}): LogExport | null {
  const { env, resource, version, meterProvider, warn } = options;
  const exporter = openExporter({ env, signal: 'LOGS', warn }, () => new OTLPLogExporter());
  if (!exporter) return null;
  const most = whole(env.OTEL_BLRP_MAX_QUEUE_SIZE, queueDefault.max);
  const processor = new BatchLogRecordProcessor({
    exporter,
    maxQueueSize: most,
    maxExportBatchSize: Math.min(most, whole(env.OTEL_BLRP_MAX_EXPORT_BATCH_SIZE, queueDefault.batch)),
    scheduledDelayMillis: milliseconds(env.OTEL_BLRP_SCHEDULE_DELAY, queueDefault.delayMs),
    exportTimeoutMillis: milliseconds(env.OTEL_BLRP_EXPORT_TIMEOUT, queueDefault.timeoutMs),
    selfObsMeterProvider: meterProvider,
  });
  const provider = new LoggerProvider({ resource, processors: [processor], logRecordLimits: limits });
  const logger = provider.getLogger('fabric-syncd', version);
  return {
    send({ level, fields, line }) {
      logger.emit({
        severityNumber: severity[level],
        severityText: level,
        body: line,
        attributes: fields as Record<string, AnyValue>,
      });
    },
    async stop() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, stopMsMax);
      await Promise.race([provider.shutdown().catch(() => {}), late.promise]);
      clearTimeout(timer);
    },
  };
}
