import type { Clock } from '../clock.ts';
import type { Dice } from '../dice.ts';

export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * All that a verb may touch of the process it runs in. `main.ts` gives the real one, tests their own: so any verb runs
 * in-process, with its streams captured.
 */
export interface World {
  /** Without the runtime and the script. */
  readonly argv: readonly string[];
  /** The script: what a process of the same program is started with. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly isTerminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Width of the terminal on standard output, now; null where it is none. */
  columns(): number | null;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly hostname: string;
  /** The name of the user that this process runs as; its number where it has none. */
  readonly user: string;
  readonly pid: number;
  /** While a listener is there, the signal does not end the process. @returns stops listening */
  onSignal(signal: EndSignal, act: () => void): () => void;
  /** Ends the process at once, whatever is under way. For a second signal. */
  exitNow(code: number): void;
}

/** Who asks, for the record: the person behind `sudo`, else the user that this process runs as; and the host. */
export function whoAsks(world: Pick<World, 'env' | 'user' | 'hostname'>): string {
  const person = world.env.SUDO_USER || world.env.USER || world.env.LOGNAME || world.user;
  return `${person}@${world.hostname}`;
}
