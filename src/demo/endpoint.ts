// What a person may say for a collector's address.

/**
 * @param text what a person typed
 * @returns the endpoint, without a slash at its end. Throws an error that says what was expected.
 */
export function parseEndpoint(text: string): string {
  const typed = text.trim();
  const url = URL.canParse(typed) ? new URL(typed) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error('Expected the URL of an OTLP/HTTP receiver, such as http://localhost:4318.');
  }
  // It is printed and written to a file.
  if (url.username !== '' || url.password !== '') {
    throw new Error('A login in the URL would be printed: say it by OTEL_EXPORTER_OTLP_HEADERS.');
  }
  if (url.search !== '' || url.hash !== '') throw new Error('Expected a URL without "?" and "#".');
  const path = url.pathname.replace(/\/+$/, '');
  if (/\/v1\/(traces|metrics|logs)$/.test(path)) {
    throw new Error('Leave out /v1/traces: it is added, as /v1/metrics and /v1/logs are.');
  }
  return `${url.origin}${path}`;
}
