// Why a collector did not take what it was given, in words of ours.
//
//   DF1. Nothing that the collector says is told, neither its body nor the words beside its status: it was sent our
//        headers, which may log us in, and can say them back.

/** @param error what an exporter failed with: its `code` is the status where there was an answer, else the system's */
export function deliveryFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'the exporter failed';
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? `the collector answered ${code}` : error.message || 'the exporter failed';
}
