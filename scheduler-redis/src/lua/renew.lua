-- Extends leases from now, where they live and are their owner's.
--
-- ARGV     of each lease: owner, fence, its new life in microseconds
-- Answers  of each lease: 1, or 0 where it is lost

return each(function(key, at)
  local life = tonumber(ARGV[at + 3])
  local lease = call('HMGET', key, 'lease_owner', 'lease_fence', 'lease_expires_at')
  if lease[1] ~= ARGV[at + 1] or lease[2] ~= ARGV[at + 2] or tonumber(lease[3]) <= now then
    return 0
  end
  call('HSET', key, 'lease_expires_at', text(now + life))
  local milliseconds = math.ceil(life / 1000)
  if call('PTTL', key) < milliseconds then
    call('PEXPIRE', key, text(milliseconds))
  end
  return 1
end)
