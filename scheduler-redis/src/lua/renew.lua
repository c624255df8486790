-- Extends a lease from now, if it lives and is its owner's under this fence.
--
-- KEYS: the job's key
-- ARGV: owner, fence, ttl, cursor life
-- Answers: 1, or 0 when the lease is lost
local fields = redis.call('HMGET', KEYS[1], 'lease_owner', 'lease_fence', 'expires_at')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if fields[1] ~= ARGV[1] or fields[2] ~= ARGV[2] or now >= tonumber(fields[3]) then
    return 0
end
redis.call('HSET', KEYS[1], 'expires_at', string.format('%.0f', now + tonumber(ARGV[3])))
-- A run may outlive the cursor, which has its own `moved_at`.
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(tonumber(ARGV[4]), tonumber(ARGV[3]))))
return 1
