-- Gives leases up, where they live and are their owner's. The cursor and the last fence stay.
--
-- ARGV     of each lease: owner, fence
-- Answers  of each lease: 1, or 0 where it was lost

return each(function(key, at)
  local lease = call('HMGET', key, 'lease_owner', 'lease_fence', 'lease_expires_at')
  if lease[1] ~= ARGV[at + 1] or lease[2] ~= ARGV[at + 2] or tonumber(lease[3]) <= now then
    return 0
  end
  -- To write one field is cheaper than to delete four, and the next grant finds the others' places.
  call('HSET', key, 'lease_expires_at', '0')
  return 1
end)
