-- Grants a job's key, or says why not. All instants are in microseconds since the Unix epoch, by this server's clock.
--
-- KEYS[1]  the job's hash:
--            cursor, owner                               the newest granted occurrence, and to whom
--            fence                                       the last fence granted
--            lease_owner, lease_occurrence, lease_fence,
--            lease_expires_at                            the lease, if one was taken that excludes others
--            shared_occurrence, shared_fence             the newest occurrence granted with a fence and no lease
-- ARGV     owner, occurrence ('' if not the schedule's), not before, mode ('filter', 'exclusive' or 'shared'),
--          the lease's life in microseconds, the cursor's in milliseconds
-- Answers  {'granted'}, {'granted', fence}, {'not_due', microseconds left}, {'claimed'} or {'held'}

local key = KEYS[1]
local owner, occurrence, not_before, mode = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local lease_life, cursor_life = tonumber(ARGV[5]), tonumber(ARGV[6])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- Lua would write a number of this size as 1.8e+15.
local function text(number)
  return string.format('%.0f', number)
end

local scheduled = occurrence ~= ''
local stored = redis.call('HMGET', key, 'cursor', 'owner', 'lease_expires_at')
local cursor = stored[1] and tonumber(stored[1])
local lease_expires_at = tonumber(stored[3] or 0)
local fence, shared_occurrence, shared_fence, lease_owner, lease_occurrence, lease_fence
if mode ~= 'filter' then
  local fields = redis.call('HMGET', key, 'fence', 'shared_occurrence', 'shared_fence', 'lease_owner',
    'lease_occurrence', 'lease_fence')
  fence, shared_occurrence, shared_fence = tonumber(fields[1] or 0), fields[2], fields[3]
  lease_owner, lease_occurrence, lease_fence = fields[4], fields[5], fields[6]
end

-- The key lives as long as the cursor, and as the lease where that is longer. A run that is not the schedule's lengthens
-- the cursor's life too: that harms nobody, and the last fence is kept.
local function keep()
  local lease_left = lease_expires_at - now
  if lease_left > cursor_life * 1000 then
    redis.call('PEXPIRE', key, text(math.ceil(lease_left / 1000)))
  else
    redis.call('PEXPIRE', key, ARGV[6])
  end
end

if scheduled then
  local at = tonumber(occurrence)
  local is_claimed = cursor and cursor >= at
  -- The answer to a repeated request may have been lost: it is given again.
  if is_claimed and cursor == at and stored[2] == owner then
    if mode == 'filter' then
      return {'granted'}
    elseif mode == 'shared' and shared_occurrence == occurrence then
      return {'granted', tonumber(shared_fence)}
    elseif mode == 'exclusive' and lease_expires_at > now and lease_owner == owner and lease_occurrence == occurrence then
      -- From now on, as whoever asks counts from this request.
      lease_expires_at = now + lease_life
      redis.call('HSET', key, 'lease_expires_at', text(lease_expires_at))
      keep()
      return {'granted', tonumber(lease_fence)}
    end
  end
  if not_before > now then
    return {'not_due', not_before - now}
  end
  if is_claimed then
    return {'claimed'}
  end
end

if mode == 'exclusive' and lease_expires_at > now then
  return {'held'}
end

if scheduled then
  redis.call('HSET', key, 'cursor', occurrence, 'owner', owner)
end
if mode == 'filter' then
  keep()
  return {'granted'}
end

-- Never below the clock, so that fences grow even where the key expired or was evicted.
fence = math.max(fence + 1, now)
redis.call('HSET', key, 'fence', text(fence))
if mode == 'shared' and scheduled then
  redis.call('HSET', key, 'shared_occurrence', occurrence, 'shared_fence', text(fence))
elseif mode == 'exclusive' then
  lease_expires_at = now + lease_life
  redis.call('HSET', key, 'lease_owner', owner, 'lease_occurrence', occurrence, 'lease_fence', text(fence),
    'lease_expires_at', text(lease_expires_at))
end
keep()
return {'granted', fence}
