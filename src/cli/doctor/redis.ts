import { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import type { RedisHealth } from '../../redis/health.ts';
import { openRedisParts } from '../../redis/open.ts';
import { clockFinding, type Finding, fail, failed, ok, warn } from './finding.ts';

const versionMin = [6, 2] as const;

/** The Redis of the timers first, then the lock's nodes that are others. */
export async function checkRedis(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const { redisUrl, lockRedisUrls } = config;
  if (redisUrl === null) return [ok('redis', 'not used, by choice (REDIS_URL=none): timers and locks are Postgres’s')];
  const nodes = lockRedisUrls.filter((url) => url !== redisUrl);
  const found = await Promise.all([
    checkOne('redis', redisUrl, config, clock, timerFindings),
    ...nodes.map((url, index) => checkOne(`lock node ${index + 1}`, url, config, clock, () => [])),
  ]);
  return [...found.flat(), ...quorumFindings(lockRedisUrls.length)];
}

async function checkOne(
  check: string,
  url: string,
  { redisPrefix, leaseTtlMs }: Config,
  clock: Clock,
  more: (check: string, health: RedisHealth) => Finding[],
): Promise<Finding[]> {
  const redis = openRedisParts({
    url,
    lockUrls: [],
    prefix: redisPrefix,
    leaseTtlMs,
    clock,
    name: 'fabric-syncd doctor',
    sleeps: false,
  });
  try {
    await redis.settled();
    const health = await redis.health();
    return [
      ...serverFindings(check, health),
      userFinding(check, health),
      ...more(check, health),
      clockFinding(check, health.clockSkewMs),
    ];
  } catch (thrown) {
    if (thrown instanceof FabricFailure) return [failed(check, thrown)];
    throw thrown;
  } finally {
    await redis.close();
  }
}

function quorumFindings(nodes: number): Finding[] {
  if (nodes < 2 || nodes % 2 === 1) return [];
  const detail = `${nodes} lock nodes bear no more failures than ${nodes - 1}`;
  return [warn('redis', detail, 'Give an odd number in FABRIC_SYNCD_LOCK_REDIS_URLS.')];
}

function serverFindings(check: string, { product, version, role }: RedisHealth): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = product === 'valkey' || major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1]);
  const found = enough
    ? [ok(check, `${product} ${version}`)]
    : [
        fail(
          check,
          `${product} ${version} is too old`,
          `Redis ${versionMin.join('.')} or newer, or Valkey, is needed.`,
        ),
      ];
  if (role !== 'master') {
    found.push(fail(check, `it is a ${role} and takes no writes`, 'Name the primary in REDIS_URL.'));
  }
  return found;
}

function userFinding(check: string, { user }: RedisHealth): Finding {
  if (user === null) return ok(check, 'its user may do little more than is needed: not even ask what it may do');
  if (!user.mayEverything) return ok(check, `its user ${user.name} makes no users`);
  const hint = 'A user with what is needed and no more: fabric-syncd doctor --grants.';
  return { ...ok(check, `more than the daemon needs: its user ${user.name} may do everything`), hint };
}

/** Of the server that keeps the timers. */
function timerFindings(check: string, { evictionPolicy, appendOnly, snapshots, diskTrouble }: RedisHealth): Finding[] {
  const found: Finding[] = [];
  if (evictionPolicy === null) {
    const hint = 'Make sure that it is noeviction: any other may throw timers away.';
    found.push(warn(check, 'it does not tell its eviction policy', hint));
  } else if (evictionPolicy === 'noeviction') found.push(ok(check, 'it evicts nothing'));
  else {
    const hint = 'CONFIG SET maxmemory-policy noeviction, and in redis.conf.';
    found.push(warn(check, `it may throw timers away when memory is short (${evictionPolicy})`, hint));
  }
  if (appendOnly) found.push(ok(check, 'it keeps what it has, in an append-only file'));
  else {
    const detail = snapshots ? 'it keeps snapshots only' : 'it keeps nothing on disk';
    const hint = 'Timers that it forgets are armed again from Postgres, later. To lose none: appendonly yes.';
    found.push(warn(check, detail, hint));
  }
  if (diskTrouble) found.push(fail(check, 'its append-only file could not be written', 'See its log, and its disk.'));
  return found;
}
