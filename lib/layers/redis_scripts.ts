/** What Redis runs as one step; each takes the time from the clock of Redis. */
export type RedisScript = "publish" | "members" | "join" | "push" | "pop" | "putBack";

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function alive(expiry) return string.format('(%.0f', now - expiry) end
local function keep(ms) return ms * 2 + 60000 end
local function expiry(item) return tonumber(string.match(item, '^(%d+):') or '0') end
`;

/**
 * The scripts, by name. A list outlives what is in it by a while, so that somebody who comes late
 * counts what has expired.
 *
 * What is published under is no key: nothing is kept there. A slot that is on its way to another node
 * is asked for by its keys, and one that is not there would say that all of them are elsewhere. So in a
 * cluster `publish` has no keys: it says by itself where its node has not what it needs. And a key
 * that a script empties is not there for its next step: what was taken out would be lost with it.
 *
 * `publish` [name [members]], deadline, group expiry, frame [name [members]]: the number of processes
 * that got it, 1, and the members in the list; 0 in place of 1 where that is on another node; -1 where
 * it is too late, -2 where nothing can be published here.
 *
 * `members` members, group expiry: those in the list.
 *
 * `join` members, channel, group expiry.
 *
 * `push` queue, deadline, capacity, expiry, frame, bell: 1, -1 where it is full, -2 where it is too
 * late, -3 where the emptied list is on its way elsewhere; and how many had expired.
 *
 * `pop` queue, count: how many had expired, and the items: `<expires at>:<frame>`.
 *
 * `putBack` queue, bell, item …: what was popped and not handed out. A bell that cannot be rung is none:
 * who reads looks once a second.
 */
export const REDIS_SCRIPTS: Readonly<Record<RedisScript, string>> = {
  publish: `${NOW}
if now > tonumber(ARGV[1]) then return {-1} end
local reached = redis.pcall('SPUBLISH', KEYS[1] or ARGV[4], ARGV[3])
if type(reached) ~= 'number' then return {-2} end
local result = {reached, 1}
local list = KEYS[2] or ARGV[5]
if list then
  local members = redis.pcall('ZRANGEBYSCORE', list, alive(ARGV[2]), '+inf')
  if members.err then return {reached, 0} end
  for _, member in ipairs(members) do result[#result + 1] = member end
end
return result`,

  members: `${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], alive(ARGV[1]), '+inf')`,

  join: `${NOW}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,

  push: `${NOW}
if now > tonumber(ARGV[1]) then return {-2, 0} end
local length = redis.call('LLEN', KEYS[1])
local expired = 0
while expired < length and expiry(redis.call('LINDEX', KEYS[1], 0)) <= now do
  redis.call('LPOP', KEYS[1])
  expired = expired + 1
end
if length - expired >= tonumber(ARGV[2]) then return {-1, expired} end
local item = string.format('%.0f:', now + ARGV[3]) .. ARGV[4]
local pushed = redis.pcall('RPUSH', KEYS[1], item)
if type(pushed) ~= 'number' then
  if string.find(pushed.err, 'non local') then return {-3, expired} end
  return pushed
end
redis.call('PEXPIRE', KEYS[1], keep(ARGV[3]))
redis.pcall('SPUBLISH', ARGV[5], '')
return {1, expired}`,

  pop: `${NOW}
local result = {0}
local length = redis.call('LLEN', KEYS[1])
while length > 0 and #result <= tonumber(ARGV[1]) do
  local item = redis.call('LPOP', KEYS[1])
  length = length - 1
  if expiry(item) > now then result[#result + 1] = item else result[1] = result[1] + 1 end
end
return result`,

  putBack: `${NOW}
for index = #ARGV, 2, -1 do
  redis.call('LPUSH', KEYS[1], ARGV[index])
  local left = expiry(ARGV[index]) - now
  if redis.call('PTTL', KEYS[1]) < left then redis.call('PEXPIRE', KEYS[1], keep(left)) end
end
redis.pcall('SPUBLISH', ARGV[1], '')
return 1`,
};
