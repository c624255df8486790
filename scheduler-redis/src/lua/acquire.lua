-- Grants a job's key. Of the fields, `cursor`, `owner`, `cursor_fence` and `moved_at` are the cursor's, `lease_owner`,
-- `lease_occurrence`, `lease_fence` and `expires_at` the lease's. Instants are milliseconds since the Unix epoch.
--
-- KEYS: the job's key
-- ARGV: owner, mode (filter, lease), exclusive (1, 0), ttl, scheduled_at ('' for none), not_before, cursor life
-- Answers: {'granted'}, {'granted', fence}, {'not_due', remaining}, {'already_claimed'}, {'held'}
local key = KEYS[1]
local owner, mode, exclusive, ttl = ARGV[1], ARGV[2], ARGV[3] == '1', tonumber(ARGV[4])
local scheduled_at, not_before, life = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])

local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)

local fields = redis.call('HMGET', key,
    'cursor', 'owner', 'cursor_fence', 'moved_at', 'lease_owner', 'lease_occurrence', 'lease_fence', 'expires_at', 'fence')
local cursor = fields[4] and now < tonumber(fields[4]) + life and fields[1] or nil
local leased = fields[8] and now < tonumber(fields[8])

if scheduled_at ~= '' then
    -- The same owner and occurrence again is granted as before, for the reply that was lost.
    if cursor == scheduled_at and fields[2] == owner then
        if mode == 'filter' then
            return {'granted'}
        elseif not exclusive then
            return {'granted', fields[3]}
        elseif leased and fields[5] == owner and fields[6] == scheduled_at then
            return {'granted', fields[7]}
        end
    end
    if now < not_before then
        return {'not_due', not_before - now}
    end
    if cursor and tonumber(cursor) >= tonumber(scheduled_at) then
        return {'already_claimed'}
    end
end

local fence = '0'
if mode == 'lease' then
    if exclusive and leased then
        return {'held'}
    end
    -- From the clock, so that it grows even after the key was lost; from the last one, where the clock stepped back.
    fence = string.format('%.0f', math.max(micros, tonumber(fields[9] or '0') + 1))
    redis.call('HSET', key, 'fence', fence)
    if exclusive then
        redis.call('HSET', key, 'lease_owner', owner, 'lease_occurrence', scheduled_at, 'lease_fence', fence,
            'expires_at', string.format('%.0f', now + ttl))
    end
end
if scheduled_at ~= '' then
    redis.call('HSET', key, 'cursor', scheduled_at, 'owner', owner, 'cursor_fence', fence,
        'moved_at', string.format('%.0f', now))
end
redis.call('PEXPIRE', key, string.format('%.0f', math.max(life, ttl)))
if mode == 'filter' then
    return {'granted'}
end
return {'granted', fence}
