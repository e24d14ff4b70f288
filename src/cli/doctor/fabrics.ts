import { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { Clock } from '../../clock.ts';
import { hintFor, shellWord } from '../../inspector/hints.ts';
import { readServerUrl } from '../../kube/address.ts';
import { type CredentialSources, openCredential } from '../../kube/credentials.ts';
import { readCertificates } from '../../kube/tls.ts';
import type { FabricRecord } from '../../ports/fabric-settings.ts';
import { resolveKinds } from '../../sync/kinds.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const dayMs = 86_400_000;
const soonDays = 30;

/** Whether what is stored of a fabric can be used here. Nobody is asked: that is what `fabric test` is for. */
export async function checkFabric(
  record: FabricRecord,
  sources: CredentialSources,
  clock: Clock,
): Promise<readonly Finding[]> {
  const { name, fabricId: id } = record;
  const check = `fabric ${name}`;
  if (!record.syncEnabled) return [ok(check, 'disabled')];
  if (record.server === '' || record.credential.kind === 'none') {
    const missing = record.server === '' ? 'server' : 'credential';
    const hint = `Set it: fabric-syncd fabric set ${shellWord(name)} --server URL --token-file FILE --ca-file FILE`;
    return [warn(check, `it has no ${missing}: it is never synced`, hint)];
  }
  try {
    readServerUrl(record.server);
    resolveKinds(record.kindsAdded, record.kindsRemoved);
    const caFinding = record.caPem === '' ? [] : checkCa(check, record, clock);
    if (handedToTheUnit(record) && sources.credentialsDirectory === null) {
      return [...caFinding, ok(check, 'its credential is handed to the daemon’s unit alone, and cannot be read here')];
    }
    const credential = await openCredential(record.credential, { id, name }, sources);
    const what = credential.kind === 'token' ? 'token' : 'client certificate';
    return [...caFinding, ok(check, `its ${what} can be read`)];
  } catch (thrown) {
    if (thrown instanceof FabricFailure) return [fail(check, thrown.message, hintFor(thrown, name))];
    throw thrown;
  }
}

function handedToTheUnit({ credential }: FabricRecord): boolean {
  return credential.kind === 'ref' && credential.ref.startsWith('credential:');
}

function checkCa(check: string, { name, caPem }: FabricRecord, clock: Clock): Finding[] {
  const ends = readCertificates(caPem, `the CA of ${name}`).map(({ validToDate }) => validToDate.getTime());
  const daysLeft = Math.floor((Math.max(...ends) - clock.nowMs()) / dayMs);
  const hint = `Give the new one in time: fabric-syncd fabric set ${shellWord(name)} --ca-file FILE`;
  if (daysLeft < 0) return [fail(check, 'its CA has expired', hint)];
  return daysLeft < soonDays ? [warn(check, `its CA expires in ${daysLeft} days`, hint)] : [];
}
