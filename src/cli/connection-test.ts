// The test of a way to a fabric, told step by step as it happens.

import type { FailureNote } from '../../machines/fabric/failure.ts';
import type { Config } from '../config.ts';
import { type ProbeStep, probeFabric } from '../kube/probe.ts';
import type { Credential } from '../ports/fabric-api.ts';
import { resolveKinds } from '../sync/kinds.ts';
import { CliFailure } from './cli-failure.ts';
import type { Paint } from './colours.ts';
import { plain } from './plain-text.ts';

export interface Tested {
  readonly steps: readonly ProbeStep[];
  /** The step that makes a sync impossible, or null: a kind that may not be listed only makes it partial. */
  readonly fatal: ProbeStep | null;
}

export interface ToTest {
  readonly name: string;
  readonly server: string;
  readonly caPem: string;
  readonly tlsServerName: string;
  readonly namespace: string;
  readonly kindsAdded: readonly string[];
  readonly kindsRemoved: readonly string[];
}

/** @param tell hears each step as it ends */
export async function testConnection(
  fabric: ToTest,
  credential: () => Promise<Credential>,
  config: Config,
  signal: AbortSignal,
  tell: (step: ProbeStep) => void,
): Promise<Tested> {
  const steps: ProbeStep[] = [];
  const target = {
    address: {
      fabricName: fabric.name,
      server: fabric.server,
      caPem: fabric.caPem || null,
      tlsServerName: fabric.tlsServerName || null,
    },
    namespace: fabric.namespace,
    kinds: resolveKinds(fabric.kindsAdded, fabric.kindsRemoved),
  };
  for await (const step of probeFabric(target, credential, config.kube, signal)) {
    steps.push(step);
    tell(step);
  }
  return { steps, fatal: fatalOf(steps) };
}

function fatalOf(steps: readonly ProbeStep[]): ProbeStep | null {
  const failed = steps.filter(({ ok }) => !ok);
  const lists = steps.filter(isList);
  const nothingListed = lists.length > 0 && lists.every(({ ok }) => !ok);
  return (
    failed.find((step) => !isList(step) && step.step !== 'identity') ?? (nothingListed ? (failed[0] ?? null) : null)
  );
}

function isList({ step }: ProbeStep): boolean {
  return step.startsWith('list ');
}

/** What to do about a failure, in words that fit the verb. */
export type HintFor = (failure: FailureNote) => string;

/** The hints are written for what the daemon does; nobody repeats a test but whoever asked for it. */
function advice(failure: FailureNote, hintFor: HintFor): string {
  return hintFor(failure).replace(
    /It is retried (?:automatically|after the delay that the server asked for)/,
    'Try again',
  );
}

/** `ok    tls       …`, with what to do below where it failed. */
export function stepLines(step: ProbeStep, hintFor: HintFor, paint: Paint): string[] {
  const mark = step.ok ? paint('green', 'ok  ') : paint('red', 'fail');
  const lines = [`${mark}  ${step.step.padEnd(23)}  ${plain(step.detail)}`];
  if (step.failure) lines.push(`      ${paint('dim', plain(advice(step.failure, hintFor)))}`);
  return lines;
}

function stepDocument({ step, ok, detail, failure }: ProbeStep, hintFor: HintFor): object {
  return { step, ok, detail, code: failure?.code ?? null, hint: failure ? advice(failure, hintFor) : null };
}

/** The test as a document: what was tried, and what came of it. */
export function testDocument({ steps, fatal }: Tested, hintFor: HintFor): object {
  return { ok: fatal === null, steps: steps.map((step) => stepDocument(step, hintFor)) };
}

/** How a verb ends whose test found that a sync cannot work. */
export function testFailure(
  name: string,
  tested: Tested,
  fatal: ProbeStep,
  hintFor: HintFor,
  what: string,
): CliFailure {
  const code = fatal.failure?.code ?? 'TEST_FAILED';
  const hint = fatal.failure ? `${advice(fatal.failure, hintFor)} ` : '';
  // Most details begin with the name of the fabric.
  const said = fatal.detail.startsWith(`${name} `) || fatal.detail.startsWith(`${name}:`);
  return new CliFailure('failed', code, `${what}: ${said ? '' : `${name}: `}${fatal.detail}`, {
    hint: `${hint}To do it all the same: --no-test.`,
    beside: { test: testDocument(tested, hintFor) },
  });
}
