-- Gives a lease up, if it lives and is its owner's. The cursor and the last fence stay.
--
-- KEYS[1]  the job's hash, as in acquire.lua
-- ARGV     owner, fence
-- Answers  1, or 0 where the lease was lost

local key = KEYS[1]
local owner, fence = ARGV[1], ARGV[2]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local lease = redis.call('HMGET', key, 'lease_owner', 'lease_fence', 'lease_expires_at')
if lease[1] ~= owner or lease[2] ~= fence or tonumber(lease[3]) <= now then
  return 0
end

redis.call('HDEL', key, 'lease_owner', 'lease_occurrence', 'lease_fence', 'lease_expires_at')
return 1
