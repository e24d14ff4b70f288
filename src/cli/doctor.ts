import { FabricFailure } from '../../machines/fabric/failure.ts';
import { type Config, ConfigProblems } from '../config.ts';
import { postgresFabricBook } from '../postgres/operator/fabric-book.ts';
import { CliFailure } from './cli-failure.ts';
import { configured } from './configured.ts';
import { databaseOf } from './database.ts';
import { checkFabric } from './doctor/fabrics.ts';
import { type Finding, fail, failed, findingLines, ok } from './doctor/finding.ts';
import { printGrants } from './doctor/grants.ts';
import { checkDaemon, checkKey, checkNode, type KeyCheck } from './doctor/host.ts';
import { checkPostgres } from './doctor/postgres.ts';
import { checkRedis } from './doctor/redis.ts';
import { checkRows } from './doctor/rows.ts';
import { type Call, verb } from './verb.ts';

export const doctorVerb = verb<[], { grants?: true }>({
  path: ['doctor'],
  summary: 'look at everything that the daemon stands on, and say what to do',
  details:
    'Settings, key, Node, Postgres (version, schema, rights, connections, clock), Redis (version, eviction, persistence, ' +
    'clock), the daemon on this host, and whether what is stored of each fabric fits together and can be used. It changes nothing. It runs ' +
    'as you: what the daemon’s own user may read can differ. The exit status is 1 where something fails. --grants asks ' +
    'nobody: it prints a role of Postgres and a user of Redis that may do what is needed and no more.',
  examples: ['fabric-syncd doctor', 'fabric-syncd doctor --json', 'fabric-syncd doctor --grants'],
  define(command) {
    command.option('--grants', 'print the least that it needs of Postgres and Redis');
  },
  async run(call) {
    const { out } = call;
    if (call.options.grants) return printGrants(call);
    const findings: Finding[] = [];
    for await (const finding of findingsOf(call)) {
      findings.push(finding);
      for (const line of findingLines(finding, out.paint)) out.say(line);
    }
    const count = (level: Finding['level']) => findings.filter((each) => each.level === level).length;
    const [warnings, failures] = [count('warn'), count('fail')];
    out.document({ ok: failures === 0, warnings, failures, findings });
    out.say();
    if (failures + warnings === 0) out.say('Everything is well.');
    else out.say(`${failures} failed, ${warnings} to be watched.`);
    return failures === 0 ? 'done' : 'failed';
  },
});

async function* findingsOf({
  world,
  signal,
}: Pick<Call, 'world' | 'signal'>): AsyncGenerator<Finding, void, undefined> {
  yield checkNode(process.versions.node);
  let config: Config;
  try {
    config = configured(world);
  } catch (thrown) {
    if (!(thrown instanceof ConfigProblems)) throw thrown;
    for (const problem of thrown.problems) yield fail('config', problem, '');
    return;
  }
  yield ok('config', 'every setting is understood');
  const key = checkKey(config);
  yield key.finding;
  yield* databaseFindings(config, key, { world, signal });
  yield* await checkRedis(config, world.clock);
  yield await checkDaemon(config, signal);
}

async function* databaseFindings(
  config: Config,
  { key, finding }: KeyCheck,
  { world, signal }: Pick<Call, 'world' | 'signal'>,
): AsyncGenerator<Finding, void, undefined> {
  try {
    const database = databaseOf(config, world);
    const cut = () => database.cut();
    signal.addEventListener('abort', cut, { once: true });
    try {
      const findings = await checkPostgres(database, world.clock);
      yield* findings;
      if (findings.some(({ check, level }) => check === 'schema' && level !== 'ok')) return;
      yield* await checkRows(database);
      const records = await postgresFabricBook(database).list();
      const sources = { key, credentialsDirectory: config.credentialsDirectory };
      for (const record of records) {
        // A key that cannot be read was told already; it would be told again for each fabric.
        if (finding.level === 'fail' && record.credential.kind === 'sealed') continue;
        yield* await checkFabric(record, sources, world.clock);
      }
    } finally {
      signal.removeEventListener('abort', cut);
      await database.close();
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof FabricFailure) yield failed('postgres', thrown);
    else if (thrown instanceof CliFailure) yield fail('postgres', thrown.message, thrown.hint);
    else throw thrown;
  }
}
