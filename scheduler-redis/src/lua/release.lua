-- Gives a lease up, if it lives and is its owner's under this fence. The cursor stays.
--
-- KEYS: the job's key
-- ARGV: owner, fence
-- Answers: 1, or 0 when the lease was lost
local fields = redis.call('HMGET', KEYS[1], 'lease_owner', 'lease_fence', 'expires_at')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if fields[1] ~= ARGV[1] or fields[2] ~= ARGV[2] or now >= tonumber(fields[3]) then
    return 0
end
redis.call('HDEL', KEYS[1], 'lease_owner', 'lease_occurrence', 'lease_fence', 'expires_at')
return 1
