-- arm-timers: arm or replace timers, and wake whoever sleeps where one of them is now the earliest.
-- keys: 2
--   KEYS[1]  timers, sorted set: fabric id, scored by when it shows (epoch ms)
--   KEYS[2]  payloads, hash: fabric id -> JSON
--   ARGV     the channel to wake on; then for each timer: fabric id, due ms, payload (1,000 timers at most)
-- returns nothing
-- Inside: ZRANGE, ZADD, HSET, and PUBLISH where it wakes. Every fall of the earliest time is published, so nobody can
-- sleep past a timer: who sleeps has seen an earliest time that was never later than what was told since.

local earliest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local scores, payloads, wakeMs = {}, {}, nil
for i = 2, #ARGV, 3 do
  scores[#scores + 1] = ARGV[i + 1]
  scores[#scores + 1] = ARGV[i]
  payloads[#payloads + 1] = ARGV[i]
  payloads[#payloads + 1] = ARGV[i + 2]
  local dueMs = tonumber(ARGV[i + 1])
  if (not earliest or dueMs < tonumber(earliest)) and (not wakeMs or dueMs < tonumber(wakeMs)) then
    wakeMs = ARGV[i + 1]
  end
end
redis.call('ZADD', KEYS[1], unpack(scores))
redis.call('HSET', KEYS[2], unpack(payloads))
if wakeMs then
  redis.call('PUBLISH', ARGV[1], wakeMs)
end
