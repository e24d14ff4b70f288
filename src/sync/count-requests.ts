// Counts what a run asks of a fabric.

import type { FabricApi } from '../ports/fabric-api.ts';

export interface Spent {
  requests: number;
  /** Bytes of lists, as received. */
  bytesRead: number;
}

/** The same API; each request adds to `spent`. A retry inside the adapter is not seen. */
export function countRequests(api: FabricApi, spent: Spent): FabricApi {
  const counted = <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    spent.requests += 1;
    return answer;
  };
  return {
    groups: (signal) => counted(api.groups(signal)),
    kinds: (group, version, signal) => counted(api.kinds(group, version, signal)),
    async page(kind, request, signal) {
      const answer = await counted(api.page(kind, request, signal));
      if (answer.kind === 'page') spent.bytesRead += answer.page.bytes;
      return answer;
    },
    clusterUid: (signal) => counted(api.clusterUid(signal)),
    serverVersion: (signal) => counted(api.serverVersion(signal)),
    close: () => api.close(),
  };
}
