// What is said between a process that wants simulated fabrics and the process that runs them: plain JSON, a question and
// its answer, over Node's own channel between parent and child.

import type { EditRates } from './editing.ts';
import type { FabricContent } from './fabric.ts';
import type { Fault } from './faults.ts';
import type { Profile } from './kinds.ts';
import type { ConnectionCounts } from './listener.ts';
import type { ShapeName } from './shapes/shape.ts';
import type { Access, SiteCounts } from './site.ts';

export type FabricOrder = FabricContent & {
  readonly name: string;
  readonly profile?: Profile;
  readonly port?: number;
  readonly names?: readonly string[];
  readonly clients?: Readonly<Record<string, string>>;
  readonly seed?: string;
  readonly tokenLifeMs?: number;
  readonly rates?: EditRates;
  readonly stateDir?: string;
};

/** A fabric that runs. */
export interface FabricFacts {
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
  readonly clusterUid: string;
  readonly kubeconfig: string;
  readonly remarks: readonly string[];
  /** Objects by kind. */
  readonly objects: Readonly<Record<string, number>>;
}

export interface FarmFacts {
  readonly urls: readonly string[];
  readonly caPem: string;
  readonly token: string;
}

/** Acts that change a fabric at once. `howMany` counts objects or repetitions. */
export type Act =
  | 'userEdit'
  | 'attach'
  | 'relabel'
  | 'recreate'
  | 'describeServers'
  | 'refreshAll'
  | 'heartbeat'
  | 'lease';

/** Each question with its answer. `fabric`: a name, or `farm/17`. */
export interface Questions {
  readonly start: { readonly ask: FabricOrder; readonly answer: FabricFacts };
  readonly startFarm: {
    readonly ask: { readonly count: number; readonly shape?: ShapeName };
    readonly answer: FarmFacts;
  };
  readonly setFault: { readonly ask: { readonly fabric: string; readonly fault: Fault }; readonly answer: number };
  readonly clearFault: { readonly ask: { readonly fabric: string; readonly id?: number }; readonly answer: null };
  /** How many objects or repetitions it came to. */
  readonly act: {
    readonly ask: { readonly fabric: string; readonly act: Act; readonly howMany?: number };
    readonly answer: number;
  };
  readonly figures: { readonly ask: { readonly fabric: string }; readonly answer: Figures };
  readonly accesses: {
    readonly ask: { readonly fabric: string; readonly forget?: boolean };
    readonly answer: readonly Access[];
  };
  /** Of the whole process, in milliseconds and bytes. */
  readonly usage: { readonly ask: null; readonly answer: Usage };
  readonly stopFabric: { readonly ask: { readonly fabric: string }; readonly answer: null };
}

export interface Figures {
  readonly site: SiteCounts;
  readonly connections: ConnectionCounts;
  readonly objects: Readonly<Record<string, number>>;
  /** The cluster's resourceVersion. */
  readonly revision: number;
}

export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export type QuestionName = keyof Questions;
export type Ask<Name extends QuestionName> = Questions[Name]['ask'];
export type AnswerTo<Name extends QuestionName> = Questions[Name]['answer'];

/** What goes over the channel. The first message of the child, `ready`, answers no question. */
export interface QuestionMessage {
  readonly id: number;
  readonly name: QuestionName;
  readonly ask: unknown;
}
export type AnswerMessage =
  | { readonly ready: true }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: string };
