-- drop-broken-timer: remove a timer whose payload cannot be read, unless it was armed anew in the meantime.
-- keys: 2
--   KEYS[1]  timers, sorted set: fabric id, scored by when it shows (epoch ms)
--   KEYS[2]  payloads, hash: fabric id -> JSON
--   ARGV     fabric id, the payload that could not be read ('' where it was missing)
-- returns 1 where it was removed, else 0

if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
