// `doctor --grants`: the least that a daemon needs of its servers, to be made by whoever owns them.

import { parseDatabaseUrl } from '../../postgres/address.ts';
import { runtimeRole } from '../../postgres/grants.ts';
import { aclLine } from '../../redis/acl.ts';
import { configured } from '../configured.ts';
import type { Exit } from '../exit-codes.ts';
import type { Call } from '../verb.ts';

/** The role of Postgres that owns nothing, and the user of Redis. */
const names = { role: 'fabric_syncd_run', user: 'fabric-syncd' };

/** Asks nobody: it is made from the settings. */
export function printGrants({ world, out }: Pick<Call, 'world' | 'out'>): Exit {
  const config = configured(world);
  const database = config.databaseUrl === null ? null : parseDatabaseUrl(config.databaseUrl).database;
  const postgres = runtimeRole(names.role, database ?? 'fabric_syncd', 'public');
  const others = config.lockRedisUrls.filter((url) => url !== config.redisUrl).length;
  const timers = config.redisUrl === null ? null : aclLine(names.user, config.redisPrefix, 'timers');
  const lockNode = others === 0 ? null : aclLine(names.user, config.redisPrefix, 'lock');
  out.document({ postgres, redis: { timers, lock_node: lockNode } });
  out.say('-- PostgreSQL, as the owner of the database, after: fabric-syncd migrate');
  for (const line of postgres) out.say(line);
  out.say(
    '-- The daemon then runs as that role; migrate runs as the owner, at each upgrade, before the daemon starts.',
  );
  if (timers !== null) out.say(`\n# Redis, by redis-cli; then ACL SAVE or CONFIG REWRITE\n${timers}`);
  if (lockNode !== null) out.say(`\n# each of the ${others} other nodes of the lock\n${lockNode}`);
  return 'done';
}
