-- Grants jobs' keys, or says why not.
--
-- ARGV     of each request: owner, occurrence ('' if not the schedule's), not before, and what is asked for: 'filter',
--          'shared', or the life of a lease that excludes others, in microseconds
-- Answers  of each request: its fence, or 0 where it is granted without one; 'claimed'; 'held'; or, where it is not due,
--          the microseconds that are left as a number below zero
--
-- A call costs the server more than what is done in it, so that a grant is two or three (HMGET, HSET, PEXPIRE), and a
-- refusal is one.

-- How long a cursor lives at least after its last move, and how much longer at most. All in microseconds.
local LIFE, SPARE = CURSOR_LIFE * 1000, 3600 * 1000000
local whole_life = text((LIFE + SPARE) / 1000)

-- The key lives as long as the cursor, and as the lease where that is longer. A run that is not the schedule's lengthens
-- the cursor's life too: that harms nobody, and the last fence is kept.
local function keep(key, lease_expires_at)
  local lease_left = lease_expires_at - now
  call('PEXPIRE', key, lease_left > LIFE and text(math.ceil(lease_left / 1000)) or whole_life)
end

-- The same where a fence is granted. Fences follow the clock, and so tell of the last grant: the first in each hour gives
-- the key its whole life, of which the others in that hour leave a whole LIFE.
local function keep_fenced(key, last_fence, lease_expires_at)
  if math.floor(last_fence / SPARE) ~= math.floor(now / SPARE) or lease_expires_at - now > LIFE then
    keep(key, lease_expires_at)
  end
end

-- The answer to a request for an occurrence that its owner was granted before, whose answer may have been lost; nil where
-- it can't be given again.
local function repeated(key, owner, occurrence, mode, lease_expires_at)
  if mode == 'filter' then
    return 0
  elseif mode == 'shared' then
    local shared = call('HMGET', key, 'shared_occurrence', 'shared_fence')
    return shared[1] == occurrence and tonumber(shared[2]) or nil
  end
  local lease = call('HMGET', key, 'lease_owner', 'lease_occurrence', 'lease_fence')
  if lease_expires_at > now and lease[1] == owner and lease[2] == occurrence then
    -- From now on, as whoever asks counts from this request.
    lease_expires_at = now + tonumber(mode)
    call('HSET', key, 'lease_expires_at', text(lease_expires_at))
    keep(key, lease_expires_at)
    return tonumber(lease[3])
  end
end

local function move_cursor(key, owner, occurrence, lease_expires_at)
  call('HSET', key, 'cursor', occurrence, 'owner', owner)
  keep(key, lease_expires_at)
  return 0
end

local function grant_shared(key, owner, occurrence, fence)
  if occurrence ~= '' then
    call('HSET', key, 'cursor', occurrence, 'owner', owner, 'fence', fence, 'shared_occurrence', occurrence,
      'shared_fence', fence)
  else
    call('HSET', key, 'fence', fence)
  end
end

local function grant_lease(key, owner, occurrence, fence, expires_at)
  if occurrence ~= '' then
    call('HSET', key, 'cursor', occurrence, 'owner', owner, 'fence', fence, 'lease_owner', owner, 'lease_occurrence',
      occurrence, 'lease_fence', fence, 'lease_expires_at', expires_at)
  else
    call('HSET', key, 'fence', fence, 'lease_owner', owner, 'lease_occurrence', occurrence, 'lease_fence', fence,
      'lease_expires_at', expires_at)
  end
end

return each(function(key, at)
  local owner, occurrence, mode = ARGV[at + 1], ARGV[at + 2], ARGV[at + 4]
  local stored = call('HMGET', key, 'cursor', 'owner', 'lease_expires_at', 'fence')
  local lease_expires_at = stored[3] and tonumber(stored[3]) or 0

  if occurrence ~= '' then
    if stored[1] == occurrence and stored[2] == owner then
      local answer = repeated(key, owner, occurrence, mode, lease_expires_at)
      if answer then
        return answer
      end
    end
    local scheduled_at = tonumber(occurrence)
    local not_before = ARGV[at + 3] == occurrence and scheduled_at or tonumber(ARGV[at + 3])
    if not_before > now then
      return now - not_before
    end
    if stored[1] and tonumber(stored[1]) >= scheduled_at then
      return 'claimed'
    end
    if mode == 'filter' then
      return move_cursor(key, owner, occurrence, lease_expires_at)
    end
  elseif mode == 'filter' then
    keep(key, lease_expires_at)
    return 0
  end

  local is_exclusive = mode ~= 'shared'
  if is_exclusive and lease_expires_at > now then
    return 'held'
  end
  local last_fence = stored[4] and tonumber(stored[4]) or 0
  -- Never below the clock, so that fences grow even where the key expired or was evicted.
  local fence = math.max(last_fence + 1, now)
  if is_exclusive then
    lease_expires_at = now + tonumber(mode)
    grant_lease(key, owner, occurrence, text(fence), text(lease_expires_at))
  else
    grant_shared(key, owner, occurrence, text(fence))
  end
  keep_fenced(key, last_fence, lease_expires_at)
  return fence
end)
