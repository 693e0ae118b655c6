import { type RedisScript, redisScript } from "../../redis/redis_script.ts";

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function alive(expiry) return string.format('(%.0f', now - expiry) end
`;

const QUEUE = `${NOW}
local function text(number) return string.format('%.0f', number) end
local function expiry(item) return tonumber(string.match(item or '', '^(%d+):') or '0') end
local function keep(ms)
  ms = ms + 60000
  if redis.call('PTTL', KEYS[1]) < ms then redis.call('PEXPIRE', KEYS[1], text(ms)) end
end
local function leased(number)
  local lease = redis.call('HGET', KEYS[1], 'l' .. number) or ''
  local holder, till, attempts = string.match(lease, '^(%S+) (%d+) (%d+)$')
  return holder, tonumber(till or '0'), tonumber(attempts or '0')
end
`;

/**
 * The scripts of the layer, which use the clock of Redis. A queue outlives its messages for a while, so that a late reader counts the
 * expired ones.
 *
 * A pub/sub name is not a key: nothing is stored under it. While a slot is migrating, Redis checks
 * whether the declared keys exist, and redirects the script if one is missing. So in a cluster
 * `publish` declares no keys, and reports itself if its node lacks the data. For the same reason a
 * queue is a single key, which moves as a whole.
 *
 * A queue is a hash of numbered messages. Those from `head` to below `tail` were never leased. `open`
 * lists the others, in the order of their first lease; none of them is free before the time `due`.
 * `m<number>` is `<expires at>:<frame>`, and `l<number>` is its lease: `<token> <until> <attempts>`. A
 * released message has the token `-` and is free since `until`. Readers must be able to take messages
 * even if the memory of Redis is full: hence `allow-oom`.
 *
 * A replica publishes only to its own subscribers. So `publish` first deletes a key that does not
 * exist, which a replica refuses with `READONLY`. In a cluster, replicas forward published messages.
 *
 * `publish` [name [members]], deadline, group expiry, frame [name [members]]: returns the number of
 * processes reached, 1, and the stored members; 0 instead of 1 if the members are on another node; -1
 * after the deadline; -2 if this node cannot publish the message.
 *
 * `members` members, group expiry: returns the stored members.
 *
 * `join` members, channel, group expiry: adds a member.
 *
 * `push` queue, deadline, capacity, expiry, frame, wakeup: returns 1, or -1 if the queue is full, or -2
 * after the deadline or if Redis cannot store the message; and the number of expired messages.
 *
 * `lease` queue, deadline, token, count, whether it is repeated, lease, expiry: returns the number of
 * expired messages, and number, attempt and item of each leased one; -1 after the deadline.
 *
 * `settle` queue, `ack` | `renew` | `release`, token, number, attempts, lease, wakeup: returns 1, or 0 if
 * the token no longer holds the message. If the notification fails, readers still poll once a second.
 */
export const REDIS_SCRIPTS: Readonly<
  Record<"publish" | "members" | "join" | "push" | "lease" | "settle", RedisScript>
> = {
  publish: redisScript(`${NOW}
if now > tonumber(ARGV[1]) then return {-1} end
if KEYS[1] then
  local proof = redis.pcall('UNLINK', KEYS[1])
  if type(proof) == 'table' and string.find(proof.err, '^READONLY') then return proof end
end
local reached = redis.pcall('SPUBLISH', KEYS[1] or ARGV[4], ARGV[3])
if type(reached) ~= 'number' then return {-2} end
local result = {reached, 1}
local list = KEYS[2] or ARGV[5]
if list then
  local members = redis.pcall('ZRANGEBYSCORE', list, alive(ARGV[2]), '+inf')
  if members.err then return {reached, 0} end
  for _, member in ipairs(members) do result[#result + 1] = member end
end
return result`),

  members: redisScript(`${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], alive(ARGV[1]), '+inf')`),

  join: redisScript(`${NOW}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`),

  push: redisScript(`${QUEUE}
if now > tonumber(ARGV[1]) then return {-2, 0} end
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local tail = tonumber(redis.call('HGET', KEYS[1], 'tail') or '0')
local expired = 0
while head < tail and expiry(redis.call('HGET', KEYS[1], 'm' .. head)) <= now do
  redis.call('HDEL', KEYS[1], 'm' .. head)
  head = head + 1
  expired = expired + 1
end
if expired > 0 then redis.call('HSET', KEYS[1], 'head', head) end
if tail - head >= tonumber(ARGV[2]) then return {-1, expired} end
local item = text(now + ARGV[3]) .. ':' .. ARGV[4]
local pushed = redis.pcall('HSET', KEYS[1], 'm' .. tail, item, 'tail', tail + 1)
if type(pushed) ~= 'number' then return {-2, expired} end
keep(ARGV[3] * 2)
redis.pcall('SPUBLISH', ARGV[5], '')
return {1, expired}`),

  lease: redisScript(`#!lua flags=allow-oom
${QUEUE}
if now > tonumber(ARGV[1]) then return {-1} end
local token, count, again = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local ends, waits = now + ARGV[5], tonumber(ARGV[6])
local state = redis.call('HMGET', KEYS[1], 'head', 'tail', 'open', 'due')
if not state[2] then return {0} end
local head, tail, open = tonumber(state[1] or '0'), tonumber(state[2]), state[3] or ' '
local due, expired, result = tonumber(state[4] or '0'), 0, {}
local function take(number, attempt)
  local item = redis.call('HGET', KEYS[1], 'm' .. number)
  if not item then return false end
  local lease = token .. ' ' .. text(ends) .. ' ' .. attempt
  redis.call('HSET', KEYS[1], 'l' .. number, lease)
  result[#result + 1] = {tostring(number), tostring(attempt), item}
  due = math.min(due, ends)
  return true
end
if open ~= ' ' and (again or now >= due) then
  local left = {}
  due = ends
  for number in string.gmatch(open, '%d+') do
    local holder, till, attempts = leased(number)
    local stays = true
    if again and holder == token then
      count = count - 1
      stays = take(number, attempts)
    elseif till > now then due = math.min(due, till)
    elseif till + waits <= now then
      stays = false
      expired = expired + 1
    elseif count > 0 then
      count = count - 1
      stays = take(number, attempts + 1)
    else due = 0 end
    if stays then left[#left + 1] = number .. ' '
    else redis.call('HDEL', KEYS[1], 'm' .. number, 'l' .. number) end
  end
  open = ' ' .. table.concat(left)
elseif open == ' ' then due = ends end
while count > 0 and head < tail do
  if expiry(redis.call('HGET', KEYS[1], 'm' .. head)) > now then
    take(head, 1)
    open = open .. head .. ' '
    count = count - 1
  else
    redis.call('HDEL', KEYS[1], 'm' .. head)
    expired = expired + 1
  end
  head = head + 1
end
if #result > 0 or expired > 0 or open ~= state[3] then
  redis.call('HSET', KEYS[1], 'head', head, 'open', open, 'due', text(due))
  keep(waits * 2 + ARGV[5] * 2)
end
table.insert(result, 1, expired)
return result`),

  settle: redisScript(`#!lua flags=allow-oom
${QUEUE}
local how, token, number, attempts = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if leased(number) ~= token then return 0 end
local function note(holder, till)
  redis.call('HSET', KEYS[1], 'l' .. number, holder .. ' ' .. text(till) .. ' ' .. attempts)
end
if how == 'ack' then
  redis.call('HDEL', KEYS[1], 'm' .. number, 'l' .. number)
  local open = redis.call('HGET', KEYS[1], 'open') or ' '
  local from, to = string.find(open, ' ' .. number .. ' ', 1, true)
  if from then
    redis.call('HSET', KEYS[1], 'open', string.sub(open, 1, from) .. string.sub(open, to + 1))
  end
elseif how == 'renew' then
  note(token, now + ARGV[5])
  keep(ARGV[5] * 2)
else
  note('-', now)
  redis.call('HSET', KEYS[1], 'due', 0)
  redis.pcall('SPUBLISH', ARGV[6], '')
end
return 1`),
};
