-- cancel-timer: remove a fabric's timer, both halves at once.
-- keys: 2
--   KEYS[1]  timers, sorted set: fabric id, scored by when it shows (epoch ms)
--   KEYS[2]  payloads, hash: fabric id -> JSON
--   ARGV     fabric id
-- returns 1 where there was one, else 0

redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
