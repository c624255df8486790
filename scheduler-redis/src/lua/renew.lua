-- Extends a lease from now, if it lives and is its owner's.
--
-- KEYS[1]  the job's hash, as in acquire.lua
-- ARGV     owner, fence, the lease's new life in microseconds
-- Answers  1, or 0 where the lease is lost

local key = KEYS[1]
local owner, fence, life = ARGV[1], ARGV[2], tonumber(ARGV[3])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local lease = redis.call('HMGET', key, 'lease_owner', 'lease_fence', 'lease_expires_at')
if lease[1] ~= owner or lease[2] ~= fence or tonumber(lease[3]) <= now then
  return 0
end

redis.call('HSET', key, 'lease_expires_at', string.format('%.0f', now + life))
local milliseconds = math.ceil(life / 1000)
if redis.call('PTTL', key) < milliseconds then
  redis.call('PEXPIRE', key, string.format('%.0f', milliseconds))
end
return 1
