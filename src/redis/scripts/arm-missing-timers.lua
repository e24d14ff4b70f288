-- arm-missing-timers: arm timers of fabrics that have none; one that is there is left alone, claimed or not.
-- keys: 2
--   KEYS[1]  timers, sorted set: fabric id, scored by when it shows (epoch ms)
--   KEYS[2]  payloads, hash: fabric id -> JSON
--   ARGV     the channel to wake on; then for each timer: fabric id, due ms, payload (1,000 timers at most)
-- returns how many were armed
-- Inside: ZMSCORE, and where something is missing ZRANGE, ZADD, HSET, and PUBLISH where it wakes (see arm-timers).

local ids = {}
for i = 2, #ARGV, 3 do
  ids[#ids + 1] = ARGV[i]
end
local known = redis.call('ZMSCORE', KEYS[1], unpack(ids))
local earliest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]

local scores, payloads, wakeMs = {}, {}, nil
for n = 1, #ids do
  if not known[n] then
    local i = 3 * n - 1
    scores[#scores + 1] = ARGV[i + 1]
    scores[#scores + 1] = ARGV[i]
    payloads[#payloads + 1] = ARGV[i]
    payloads[#payloads + 1] = ARGV[i + 2]
    local dueMs = tonumber(ARGV[i + 1])
    if (not earliest or dueMs < tonumber(earliest)) and (not wakeMs or dueMs < tonumber(wakeMs)) then
      wakeMs = ARGV[i + 1]
    end
  end
end
if #scores == 0 then
  return 0
end
redis.call('ZADD', KEYS[1], unpack(scores))
redis.call('HSET', KEYS[2], unpack(payloads))
if wakeMs then
  redis.call('PUBLISH', ARGV[1], wakeMs)
end
return #scores / 2
