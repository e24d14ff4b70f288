import type { FabricFailure } from '../../machines/fabric/failure.ts';

/** What a failure says about the connection: null where it says nothing. */
export function connectionAfter(code: FabricFailure['code']): 'disconnected' | 'error' | null {
  switch (code) {
    case 'ADDRESS_UNKNOWN':
    case 'UNREACHABLE':
    case 'TIMED_OUT':
      return 'disconnected';
    case 'TLS_UNTRUSTED':
    case 'TLS_NAME_MISMATCH':
    case 'TLS_EXPIRED':
    case 'TLS_FAILED':
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
    case 'REDIRECTED':
    case 'THROTTLED':
    case 'SERVER_ERROR':
    case 'NOT_KUBERNETES':
    case 'BODY_BROKEN':
    case 'BODY_TOO_LARGE':
    case 'CLUSTER_CHANGED':
    // Nothing can be reached with these.
    case 'SETTINGS_INVALID':
    case 'CREDENTIAL_UNREADABLE':
      return 'error';
    default:
      return null;
  }
}
