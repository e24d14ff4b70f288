import type { FailureNote } from '../../machines/fabric/failure.ts';
import { credentialSources } from '../host-credentials.ts';
import { hintFor, shellWord } from '../inspector/hints.ts';
import { openCredential } from '../kube/credentials.ts';
import type { FabricRecord, FabricSettingsValues } from '../ports/fabric-settings.ts';
import { some } from './arguments.ts';
import { CliFailure, usageFailure } from './cli-failure.ts';
import { stepLines, type Tested, testConnection, testDocument, testFailure } from './connection-test.ts';
import { type Settings, withSettings } from './database.ts';
import type { Exit } from './exit-codes.ts';
import { fabricDocument, syncWords } from './fabric-document.ts';
import { defineFabricOptions, type FabricOptions, fabricName, plainSettings } from './fabric-options.ts';
import { namedRecord } from './named-record.ts';
import { type Call, verb } from './verb.ts';
import { type GivenCredential, readWayIn } from './way-in.ts';

interface SetOptions extends FabricOptions {
  readonly enable?: true;
  readonly disable?: true;
  readonly name?: string;
}

type SetCall = Call<[fabric: string], SetOptions>;

export const fabricSetVerb = verb<[fabric: string], SetOptions>({
  path: ['fabric', 'set'],
  summary: 'change settings of a fabric',
  details:
    'What is not given stays as it is; it takes effect at once, without a restart. A new address or credential is tested ' +
    'first, and a fabric that was failing is then tried again at once. --kinds replaces what was set before.',
  examples: [
    'fabric-syncd fabric set lab --interval 5m',
    'fabric-syncd fabric set lab --disable',
    'fabric-syncd fabric set lab --token-file new-token',
    'fabric-syncd fabric set lab --kinds +SwitchProfile,-Server',
  ],
  define(command) {
    command.argument('<fabric>', 'name or number');
    defineFabricOptions(command);
    command
      .option('--name <name>', 'another name', some)
      .option('--enable', 'sync it')
      .option('--disable', 'do not sync it, not even by hand');
  },
  async run(call) {
    const { options } = call;
    if (options.enable && options.disable) throw usageFailure('--enable and --disable contradict each other');
    if (options.name !== undefined) fabricName(options.name);
    const { test: _, ...changes } = options;
    if (Object.keys(changes).length === 0) {
      throw usageFailure('nothing to change', 'See: fabric-syncd fabric set --help');
    }
    return withSettings(call, (settings) => set(call, settings));
  },
});

async function set(call: SetCall, settings: Settings): Promise<Exit> {
  const { options, world, out, args } = call;
  const { book, config } = settings;
  const before = await namedRecord(settings, args[0]);
  const wayIn = await readWayIn(options, config, world);
  const values: Partial<FabricSettingsValues> = {
    ...(options.name !== undefined && { name: options.name }),
    ...wayIn.values,
    ...plainSettings(options),
    ...((options.enable || options.disable) && { syncEnabled: options.enable === true }),
  };
  const isNewWay = wayIn.credential !== null || Object.keys(wayIn.values).length > 0 || options.namespace !== undefined;
  const hint = (failure: FailureNote) => hintFor(failure, before.name);
  const tested =
    options.test && isNewWay ? await test(call, { ...before, ...values }, wayIn.credential, settings, hint) : null;
  if (tested?.fatal) throw testFailure(before.name, tested, tested.fatal, hint, 'nothing was changed');

  const changed = await book.set(before.fabricId, values, wayIn.credential?.store ?? null);
  if (changed.kind === 'name_taken') {
    throw new CliFailure('refused', 'NAME_TAKEN', `there is another fabric "${options.name}" already`);
  }
  const record = changed.kind === 'gone' ? null : await book.show(before.fabricId);
  if (!record) throw new CliFailure('not_found', 'NO_SUCH_FABRIC', `the fabric "${before.name}" was removed just now`);
  out.document({ fabric: fabricDocument(record), test: tested && testDocument(tested, hint) });
  out.say(`${record.name} is changed: ${syncWords(record)}.`);
  if (isNewWay && record.syncEnabled) out.note(`See whether it works: fabric-syncd status ${shellWord(record.name)}`);
  return 'done';
}

async function test(
  { out, signal }: SetCall,
  fabric: FabricRecord,
  given: GivenCredential | null,
  { config }: Settings,
  hint: (failure: FailureNote) => string,
): Promise<Tested> {
  const credential = async () =>
    given
      ? given.open()
      : openCredential(fabric.credential, { id: fabric.fabricId, name: fabric.name }, credentialSources(config));
  return testConnection(fabric, credential, config, signal, (step) => {
    for (const line of stepLines(step, hint, out.paint)) out.note(line);
  });
}
