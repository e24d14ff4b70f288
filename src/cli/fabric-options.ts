// The options that say what a fabric is: the same for `fabric add` and `fabric set`.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration } from '../duration.ts';
import type { FabricSettingsValues } from '../ports/fabric-settings.ts';
import { resolveKinds } from '../sync/kinds.ts';
import { duration, onOff, share, some, whole } from './arguments.ts';
import { usageFailure } from './cli-failure.ts';

export interface FabricOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly byReference?: true;
  readonly server?: string;
  readonly tokenFile?: string;
  readonly tokenRef?: string;
  readonly caFile?: string;
  readonly tlsServerName?: string;
  readonly namespace?: string;
  /** Seconds. */
  readonly interval?: number;
  readonly scheduler?: boolean;
  readonly description?: string;
  readonly kinds?: KindsOption;
  readonly guardShare?: number;
  readonly guardCount?: number;
  /** False with `--no-test`. */
  readonly test: boolean;
}

interface KindsOption {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Ten years, as the schema has it. */
const intervalSecondsMax = 315_360_000;

export function defineFabricOptions(command: Command): void {
  command
    .addOption(new Option('--kubeconfig <file>', 'address, CA and credential from a kubeconfig').argParser(some))
    .addOption(new Option('--context <name>', 'its context; its current one where not given').argParser(some))
    .addOption(new Option('--by-reference', 'read the credential from that kubeconfig at each run, store no copy'))
    .addOption(new Option('--server <url>', 'the Kubernetes API, https://HOST:6443').argParser(some))
    .addOption(
      new Option('--token-file <file>', 'a bearer token, stored encrypted; - reads standard input')
        .argParser(some)
        .conflicts(['tokenRef', 'kubeconfig']),
    )
    .addOption(
      new Option('--token-ref <ref>', 'file:PATH or credential:NAME, read anew at each run')
        .argParser(some)
        .conflicts(['kubeconfig']),
    )
    .addOption(new Option('--ca-file <file>', 'the CA that signed the API’s certificate, PEM').argParser(some))
    .addOption(new Option('--tls-server-name <name>', 'the name its certificate has, where the URL has another'))
    .addOption(new Option('--namespace <name>', 'where the objects are').argParser(namespaceName))
    .addOption(new Option('--interval <time>', 'between two syncs: 60s, 5m, 1h; 0: none').argParser(interval))
    .addOption(new Option('--scheduler <on|off>', 'off: no periodic sync, a manual one still works').argParser(onOff))
    .addOption(new Option('--description <text>', 'for people'))
    .addOption(
      new Option('--kinds <changes>', 'kinds beside or without the default ones: +Kind,-Kind; or: default').argParser(
        kinds,
      ),
    )
    .addOption(
      new Option(
        '--guard-share <share>',
        'a run that would delete more of the objects waits for approve: 20%',
      ).argParser(share),
    )
    .addOption(
      new Option('--guard-count <n>', '… but only where it is more objects than this: 10').argParser(
        whole(0, 1_000_000_000),
      ),
    )
    .addOption(new Option('--no-test', 'do not test the connection first'));
}

/** What the options say of the settings, beside the way in. */
export function plainSettings(options: FabricOptions): Partial<FabricSettingsValues> {
  return {
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.interval !== undefined && { intervalSeconds: options.interval }),
    ...(options.scheduler !== undefined && { schedulerEnabled: options.scheduler }),
    ...(options.description !== undefined && { description: options.description }),
    ...(options.kinds !== undefined && { kindsAdded: options.kinds.added, kindsRemoved: options.kinds.removed }),
    ...(options.guardShare !== undefined && { guardShare: options.guardShare }),
    ...(options.guardCount !== undefined && { guardCount: options.guardCount }),
  };
}

/** A name that cannot be taken for a number, and that needs no thought in a shell or a path. */
export function fabricName(text: string): string {
  if (/^[0-9]+$/.test(text)) {
    throw usageFailure('a fabric’s name cannot be all digits: fabrics are also called by their number');
  }
  if (/^[A-Za-z0-9]([A-Za-z0-9._ -]{0,98}[A-Za-z0-9])?$/.test(text)) return text;
  throw usageFailure(
    'a fabric’s name is up to 100 letters, digits and . _ - or blanks, and begins and ends with a letter or digit',
  );
}

function interval(text: string): number {
  const ms = duration(text);
  const seconds = ms / 1_000;
  if (Number.isInteger(seconds) && seconds <= intervalSecondsMax) return seconds;
  throw new InvalidArgumentError(`Expected whole seconds, at most ${formatDuration(intervalSecondsMax * 1_000)}.`);
}

function namespaceName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Expected the name of a Kubernetes namespace.');
}

function kinds(text: string): KindsOption {
  if (text === 'default') return { added: [], removed: [] };
  const changes = text.split(',').map((change) => change.trim());
  const wrong = changes.find((change) => !/^[+-]\S+$/.test(change));
  if (wrong !== undefined) throw new InvalidArgumentError('Expected +Kind and -Kind, separated by commas, or default.');
  const named = (sign: string) => changes.filter((change) => change[0] === sign).map((change) => change.slice(1));
  const option = { added: named('+'), removed: named('-') };
  try {
    resolveKinds(option.added, option.removed);
  } catch (thrown) {
    throw new InvalidArgumentError(thrown instanceof Error ? thrown.message : String(thrown));
  }
  return option;
}
