import { redisScript } from "../../redis/redis_script.ts";

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
`;

const LOG = `${NOW}
local log = KEYS[1]
if now > tonumber(ARGV[1]) then return {-1} end
local most, age, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local fields = {'epoch', 'first', 'offset', 'total', 'base', 'home', 'earlier'}
local state = redis.call('HMGET', log, unpack(fields))
local epoch, first, offset = state[1], tonumber(state[2] or '1'), tonumber(state[3] or '0')
local total, base, earlier = tonumber(state[4] or '0'), tonumber(state[5] or '0'), state[7] or ''
local home = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
local is_new = not epoch or state[6] ~= home
if epoch and is_new then
  local known = {epoch .. ' ' .. text(offset)}
  for its_epoch, its_offset in string.gmatch(earlier, '(%S+) (%d+)') do
    if #known == 16 then break end
    known[#known + 1] = its_epoch .. ' ' .. text(math.min(tonumber(its_offset), offset))
  end
  earlier = table.concat(known, ' ')
end
if is_new then epoch = ARGV[5] end
local function parts(item)
  local at, sum, json = string.match(item, '^(%d+) (%d+) (.*)$')
  return tonumber(at), tonumber(sum), json
end
local function trim(before, steps)
  while first <= offset and steps > 0 do
    local at, sum = parts(redis.call('HGET', log, 'm' .. text(first)))
    local is_over = first < before or at <= now - age or offset - first >= most
    if not is_over and not (first < offset and total - base > most_bytes) then return end
    redis.call('HDEL', log, 'm' .. text(first))
    first, base, steps = first + 1, sum, steps - 1
  end
end
local function store()
  redis.call('HSET', log, 'epoch', epoch, 'first', text(first), 'offset', text(offset),
    'total', text(total), 'base', text(base), 'home', home, 'earlier', earlier)
  redis.call('PEXPIRE', log, text(age + 86400000))
end
`;

/**
 * The scripts of the stream store. They use the clock of Redis.
 *
 * A stream is one hash, which moves as a whole when a slot of a cluster moves: `epoch`; `first` and
 * `offset`; `total`, the bytes of all messages, and `base`, those of the removed ones; `home` and
 * `earlier`, see below; `m<offset>`, a message as `<time> <total> <JSON>`; `k<key>`, the outcome of an
 * append as `<expiry> <epoch> <offset> <reply>`; `e<number>`, the keys in the order of their expiry,
 * from `expiring` to below `expires`.
 *
 * `home` is the replication id of the primary that wrote last. Redis begins a new one whenever writes
 * may have been lost: at a restart, a failover, and when a slot has moved. The next call then begins a
 * new epoch with the messages that are left, so that no offset is used twice in an epoch. `earlier`
 * keeps the last 16 epochs before it, each with the offset up to which nothing was lost.
 *
 * `append` stream, deadline, limits (number, age, bytes), a new epoch, JSON, its bytes, whether there is
 * a key, key, reply, window: returns whether it is repeated, epoch, offset, reply; -1 after the deadline.
 *
 * `read` stream, deadline, limits, a new epoch, offset to trim before, `after` | `before`, its offset,
 * limit, bytes: returns 0, epoch, first, offset, `earlier`, and offset and item of each message.
 *
 * `claim` claim, token, lease, window: returns the state and the outcome.
 *
 * `settle` claim, `renew` | `settle` | `release`, token, lease, outcome: returns 1, or 0 if the token no
 * longer holds the claim.
 */
export const STREAM_SCRIPTS = {
  append: redisScript(`${LOG}
local json, bytes, has_key, key, reply = ARGV[6], tonumber(ARGV[7]), ARGV[8] == '1', ARGV[9], ARGV[10]
local window = tonumber(ARGV[11])
if has_key then
  local kept = redis.call('HGET', log, 'k' .. key)
  if kept then
    local expiry, its_epoch, its_offset, its_reply = string.match(kept, '^(%d+) (%S+) (%d+) (.*)$')
    if tonumber(expiry) > now then return {1, its_epoch, its_offset, its_reply} end
  end
end
offset, total = offset + 1, total + bytes
redis.call('HSET', log, 'm' .. text(offset), text(now) .. ' ' .. text(total) .. ' ' .. json)
trim(0, 64)
store()
local ends = redis.call('HMGET', log, 'expiring', 'expires')
local expiring, expires = tonumber(ends[1] or '0'), tonumber(ends[2] or '0')
local before = expiring
while expiring < expires and expiring < before + 8 do
  local expiry, old = string.match(redis.call('HGET', log, 'e' .. expiring), '^(%d+) (.*)$')
  if tonumber(expiry) > now then break end
  redis.call('HDEL', log, 'e' .. expiring, 'k' .. old)
  expiring = expiring + 1
end
if has_key then
  local expiry = text(now + window)
  redis.call('HSET', log, 'k' .. key, expiry .. ' ' .. epoch .. ' ' .. text(offset) .. ' ' .. reply,
    'e' .. expires, expiry .. ' ' .. key)
  expires = expires + 1
end
redis.call('HSET', log, 'expiring', expiring, 'expires', expires)
return {0, epoch, text(offset), reply}`),

  read: redisScript(`${LOG}
local first_before = first
trim(tonumber(ARGV[6]), 6400)
if is_new or first ~= first_before then store() end
local is_forward, mark, limit = ARGV[7] == 'after', tonumber(ARGV[8]), tonumber(ARGV[9])
local left = tonumber(ARGV[10])
local result = {0, epoch, text(first), text(offset), earlier}
local from, to, step
if is_forward then
  from = math.max(mark + 1, first)
  to = math.min(offset, from + limit - 1)
  step = 1
else
  from = math.min(offset, mark - 1)
  to = math.max(first, from - limit + 1)
  step = -1
end
for number = from, to, step do
  local item = redis.call('HGET', log, 'm' .. text(number))
  left = left - #item
  if left < 0 and #result > 5 then break end
  result[#result + 1] = text(number)
  result[#result + 1] = item
end
return result`),

  find: redisScript(`${NOW}
local kept = redis.call('HGET', KEYS[1], 'k' .. ARGV[1])
if not kept then return {} end
local expiry, epoch, offset, reply = string.match(kept, '^(%d+) (%S+) (%d+) (.*)$')
if tonumber(expiry) <= now then return {} end
return {1, epoch, offset, reply}`),

  clear: redisScript(`${NOW}
local log = KEYS[1]
local state = redis.call('HMGET', log, 'first', 'offset')
local first, offset = tonumber(state[1] or '1'), tonumber(state[2] or '0')
local last = math.min(offset, first + 999)
for number = first, last do redis.call('HDEL', log, 'm' .. text(number)) end
if last < offset then
  redis.call('HSET', log, 'first', text(last + 1))
  return 0
end
redis.call('HSET', log, 'epoch', ARGV[1], 'first', 1, 'offset', 0, 'total', 0, 'base', 0)
redis.call('HDEL', log, 'earlier')
redis.call('PEXPIRE', log, ARGV[2])
return 1`),

  claim: redisScript(`${NOW}
local state = redis.call('HMGET', KEYS[1], 'token', 'until', 'outcome')
if state[3] then return {'settled', state[3]} end
if state[1] then return {tonumber(state[2]) > now and 'running' or 'unknown', ''} end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'until', text(now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'claimed', ''}`),

  settle: redisScript(`${NOW}
local state = redis.call('HMGET', KEYS[1], 'token', 'until', 'outcome')
if state[1] ~= ARGV[2] or state[3] or tonumber(state[2]) <= now then return 0 end
if ARGV[1] == 'renew' then redis.call('HSET', KEYS[1], 'until', text(now + ARGV[3]))
elseif ARGV[1] == 'settle' then redis.call('HSET', KEYS[1], 'outcome', ARGV[4])
else redis.call('UNLINK', KEYS[1]) end
return 1`),
} as const;
