-- What the scripts have in common: each runs on many keys, one after another, at one reading of the clock.
--
-- Before it stands `CURSOR_LIFE`, how long a cursor lives at least after its last move, in milliseconds.
--
-- KEYS     a job's hash for each request; a key may come more than once
-- ARGV     the requests' arguments in the same order, as many for each
-- Answers  an array with one answer for each request. A key that can't be used has an error there, and the others their
--          answers.
--
-- The hash has the fields below. All instants are in microseconds since the Unix epoch, by this server's clock. Instances
-- of several versions use the same keys while a service is deployed, so the fields keep their names and their meaning.
--   cursor, owner                               the newest granted occurrence, and to whom
--   fence                                       the last fence granted
--   lease_owner, lease_occurrence, lease_fence,
--   lease_expires_at                            the newest lease that excludes others; 0 or no fields once it was released
--   shared_occurrence, shared_fence             the newest occurrence granted with a fence and no lease

local call, format = redis.call, string.format

local time = call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- A whole number as Redis has it: Lua would write one of this size as 1.8e+15.
local function text(number)
  return format('%d', number)
end

-- Answers each request by `decide(key, at)`, whose arguments are those after ARGV[at].
local function each(decide)
  local width = #ARGV / #KEYS
  local answers = {}
  for nth, key in ipairs(KEYS) do
    local is_answer, answer = pcall(decide, key, (nth - 1) * width)
    if not is_answer then
      -- Redis 7 raises a table, older ones raise its words alone.
      answer = {err = type(answer) == 'table' and answer.err or answer}
    end
    answers[nth] = answer
  end
  return answers
end
