-- acquire-lock: redlock's question to one node, for the one key that a fabric has. Its own script says the same of any
-- number of keys with a command more.
-- keys: 1
--   KEYS[1]  the fabric's lock
--   ARGV     the holder's random value, how long it lives (ms)
-- returns 1 where it was free, else 0

return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
