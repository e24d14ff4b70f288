import type { FailureNote } from '../../machines/fabric/failure.ts';
import type { Config } from '../config.ts';
import { shellWord } from '../inspector/hints.ts';
import type { FabricSettingsValues } from '../ports/fabric-settings.ts';
import { CliFailure, usageFailure } from './cli-failure.ts';
import { stepLines, type Tested, testConnection, testDocument, testFailure } from './connection-test.ts';
import { type Settings, withSettings } from './database.ts';
import type { Exit } from './exit-codes.ts';
import { fabricDocument, syncWords } from './fabric-document.ts';
import { defineFabricOptions, type FabricOptions, fabricName, plainSettings } from './fabric-options.ts';
import { plain } from './plain-text.ts';
import { type Call, verb } from './verb.ts';
import { type GivenCredential, readWayIn } from './way-in.ts';

interface AddOptions extends FabricOptions {
  readonly disabled?: true;
}

type AddCall = Call<[name: string], AddOptions>;

export const fabricAddVerb = verb<[name: string], AddOptions>({
  path: ['fabric', 'add'],
  summary: 'add a fabric, after testing the connection to it',
  details:
    'A secret is stored encrypted with the key in FABRIC_SYNCD_KEY_FILE (or the systemd credential fabric-syncd.key), or ' +
    'as a reference that is read at each run. It is never an argument: the list of processes is public. The rights that ' +
    'the token needs are printed by: fabric-syncd rbac.',
  examples: [
    'fabric-syncd fabric add lab --server https://cn.lab.example:6443 --token-file token --ca-file ca.crt',
    'fabric-syncd fabric add lab --kubeconfig lab.yaml --context reader --interval 5m',
    'fabric-syncd fabric add lab --server https://10.0.0.1:6443 --token-ref file:/etc/fabric-syncd/lab.token --ca-file ca.crt',
  ],
  define(command) {
    command.argument('<name>', 'not all digits: fabrics are also called by their number');
    defineFabricOptions(command);
    command.option('--disabled', 'add it, and sync it only once it is enabled');
  },
  async run(call) {
    const name = fabricName(call.args[0]);
    const { options } = call;
    if (options.kubeconfig === undefined && options.server === undefined) {
      throw usageFailure(
        'where is it? Give --kubeconfig FILE, or --server URL with --token-file FILE and --ca-file FILE',
      );
    }
    if (options.kubeconfig === undefined && options.tokenFile === undefined && options.tokenRef === undefined) {
      throw usageFailure('no credential: give --token-file FILE, --token-ref file:PATH or --token-ref credential:NAME');
    }
    return withSettings(call, (settings) => add(call, name, settings), { migrating: true });
  },
});

async function add(call: AddCall, name: string, settings: Settings): Promise<Exit> {
  const { options, world, out } = call;
  const { book, config, find } = settings;
  if (await find(name)) throw nameTaken(name);
  const wayIn = await readWayIn(options, config, world);
  const values = {
    name,
    ...wayIn.values,
    ...plainSettings(options),
    ...(options.disabled && { syncEnabled: false }),
  };
  if (wayIn.otherNamespace !== null && options.namespace === undefined) {
    out.note(`The context is in namespace ${plain(wayIn.otherNamespace)}; the fabric’s objects are read from default.`);
  }
  const tested = options.test && wayIn.credential ? await test(call, values, wayIn.credential, config) : null;
  if (tested?.fatal) throw testFailure(name, tested, tested.fatal, hintFor, 'the fabric was not added');

  const added = await book.add(values, wayIn.credential?.store ?? null);
  if (added.kind === 'name_taken') throw nameTaken(name);
  const record = await book.show(added.fabricId);
  if (!record) throw new CliFailure('failed', 'FABRIC_GONE', `the fabric "${name}" was removed just now`);
  out.document({ fabric: fabricDocument(record), test: tested && testDocument(tested, hintFor) });
  out.say(`${name} is added as number ${record.fabricId}: ${syncWords(record)}.`);
  if (record.syncEnabled) out.note(`Watch it: fabric-syncd status ${shellWord(name)}`);
  else out.note(`Enable it: fabric-syncd fabric set ${shellWord(name)} --enable`);
  return 'done';
}

async function test(
  { out, signal }: AddCall,
  values: { name: string } & Partial<FabricSettingsValues>,
  credential: GivenCredential,
  config: Config,
): Promise<Tested> {
  const unset = { server: '', caPem: '', tlsServerName: '', namespace: 'default', kindsAdded: [], kindsRemoved: [] };
  return testConnection(
    { ...unset, ...values },
    () => credential.open(),
    config,
    signal,
    (step) => {
      for (const line of stepLines(step, hintFor, out.paint)) out.note(line);
    },
  );
}

/** The fabric is not there yet: what a hint would have us set is an option of this very command. */
function hintFor({ hint }: FailureNote): string {
  return hint.replaceAll('fabric-syncd fabric set NAME ', '').replaceAll(' NAME', '');
}

function nameTaken(name: string): CliFailure {
  return new CliFailure('refused', 'NAME_TAKEN', `there is a fabric "${name}" already`, {
    hint: `Change it: fabric-syncd fabric set ${shellWord(name)} …`,
  });
}
