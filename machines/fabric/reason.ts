// Why a fabric moved, in a few words for people: who asked, or how the step ended that it waited for.

import { FabricFailure } from './failure.ts';

/** @param event as the machine got it; null where its type says it all */
export function reasonOf(event: { readonly type: string }): string | null {
  const told = event as {
    readonly by?: unknown;
    readonly reason?: unknown;
    readonly kind?: unknown;
    readonly output?: { readonly outcome?: unknown; readonly kind?: unknown } | null;
    readonly error?: unknown;
  };
  if ('error' in told) return FabricFailure.note(told.error).code;
  for (const word of [told.by, told.reason, told.kind, told.output?.outcome, told.output?.kind]) {
    if (typeof word === 'string') return word;
  }
  return null;
}
