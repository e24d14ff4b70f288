-- claim-timers: hand out what is due, earliest first, and hide each timer until the end of its hold. Nothing is removed.
-- keys: 2
--   KEYS[1]  timers, sorted set: fabric id, scored by when it shows (epoch ms)
--   KEYS[2]  payloads, hash: fabric id -> JSON
--   ARGV     now ms, until ms (the end of the hold), how many at most (1 or more)
-- returns {when the next timer shows after this (ms), or '' where there is none; then a pair for each timer taken:
--   fabric id, payload (nil where it is missing)}
-- Inside: ZRANGE, and where something is due ZADD and HMGET. The one more that is read is the next one to show.

local nowMs, untilMs, atMost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local seen = redis.call('ZRANGE', KEYS[1], 0, atMost, 'WITHSCORES')

local due, hidden, nextMs = {}, {}, ''
for i = 1, #seen, 2 do
  if #due == atMost or tonumber(seen[i + 1]) > nowMs then
    nextMs = seen[i + 1]
    break
  end
  due[#due + 1] = seen[i]
  hidden[#hidden + 1] = ARGV[2]
  hidden[#hidden + 1] = seen[i]
end
if #due == 0 then
  return {nextMs}
end

redis.call('ZADD', KEYS[1], unpack(hidden))
local payloads = redis.call('HMGET', KEYS[2], unpack(due))

-- What was just taken shows again at the end of its hold, which may be before all others.
if nextMs == '' or untilMs < tonumber(nextMs) then
  nextMs = ARGV[2]
end
local answer = {nextMs}
for i = 1, #due do
  answer[2 * i] = due[i]
  answer[2 * i + 1] = payloads[i]
end
return answer
