// Bearer tokens: what may stand in an Authorization header, and what people put into token files instead.

import { FabricFailure } from '../../machines/fabric/failure.ts';

/**
 * The token in a text, as files hold it: one line end at its end is dropped, nothing else is forgiven.
 *
 * @param what for messages: `the token file /etc/…`
 * @throws FabricFailure `CREDENTIAL_UNREADABLE`; the token is not in it
 */
export function readToken(text: string, what: string): string {
  const token = text.replace(/\r?\n$/, '');
  assertToken(token, what);
  return token;
}

/** @throws FabricFailure `CREDENTIAL_UNREADABLE` where the token cannot be sent; the token is not in it */
export function assertToken(token: string, what: string): void {
  const wrong = faultOf(token);
  if (wrong === null) return;
  throw new FabricFailure('CREDENTIAL_UNREADABLE', `${what} ${wrong.fault}`, { hint: wrong.hint });
}

function faultOf(token: string): { fault: string; hint: string } | null {
  const hint = 'A token is one line of letters, digits and dots. Write it anew, and nothing else, into its place.';
  if (token === '') return { fault: 'is empty', hint };
  if (/[\r\n]/.test(token)) return { fault: 'has a line end inside', hint };
  if (/\s/.test(token)) return { fault: 'has a space inside', hint };
  if (/[^\x21-\x7e]/.test(token)) return { fault: 'has a character inside that is not printable ASCII', hint };
  // A JSON web token begins with `eyJ`; `ZXlK` is that in Base64 once more, as `kubectl get secret -o yaml` shows it.
  if (token.startsWith('ZXlK') && !token.includes('.')) {
    return {
      fault: 'is still in Base64',
      hint: "Decode it: kubectl get secret NAME -o jsonpath='{.data.token}' | base64 -d",
    };
  }
  return null;
}
