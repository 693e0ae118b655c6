/** What Redis runs as one step; each takes the time from the clock of Redis. */
export type RedisScript = "publish" | "join" | "push" | "pop" | "putBack";

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep(ms) return ms * 2 + 60000 end
local function expiry(item) return tonumber(string.match(item, '^(%d+):') or '0') end
`;

/**
 * The scripts, by name. A list outlives what is in it by a while, so that somebody who comes late
 * counts what has expired.
 *
 * `publish` name [members], deadline, group expiry, frame: the number of processes that got it, and the
 * members in the list; -1 where it is too late.
 *
 * `join` members, channel, group expiry.
 *
 * `push` queue, bell, deadline, capacity, expiry, frame: 1, -1 where it is full, -2 where it is too
 * late; and how many had expired.
 *
 * `pop` queue, count: how many had expired, and the items: `<expires at>:<frame>`.
 *
 * `putBack` queue, bell, item …: what was popped and not handed out.
 */
export const REDIS_SCRIPTS: Readonly<Record<RedisScript, string>> = {
  publish: `${NOW}
if now > tonumber(ARGV[1]) then return {-1} end
local result = {redis.call('SPUBLISH', KEYS[1], ARGV[3])}
if KEYS[2] then
  local since = string.format('(%.0f', now - ARGV[2])
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf')) do
    result[#result + 1] = member
  end
end
return result`,

  join: `${NOW}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,

  push: `${NOW}
if now > tonumber(ARGV[1]) then return {-2, 0} end
local expired = 0
local head = redis.call('LINDEX', KEYS[1], 0)
while head and expiry(head) <= now do
  redis.call('LPOP', KEYS[1])
  expired = expired + 1
  head = redis.call('LINDEX', KEYS[1], 0)
end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then return {-1, expired} end
redis.call('RPUSH', KEYS[1], string.format('%.0f:', now + ARGV[3]) .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], keep(ARGV[3]))
redis.call('SPUBLISH', KEYS[2], '')
return {1, expired}`,

  pop: `${NOW}
local result = {0}
while #result <= tonumber(ARGV[1]) do
  local item = redis.call('LPOP', KEYS[1])
  if not item then break end
  if expiry(item) > now then result[#result + 1] = item else result[1] = result[1] + 1 end
end
return result`,

  putBack: `${NOW}
for index = #ARGV, 1, -1 do
  redis.call('LPUSH', KEYS[1], ARGV[index])
  local left = expiry(ARGV[index]) - now
  if redis.call('PTTL', KEYS[1]) < left then redis.call('PEXPIRE', KEYS[1], keep(left)) end
end
redis.call('SPUBLISH', KEYS[2], '')
return 1`,
};
