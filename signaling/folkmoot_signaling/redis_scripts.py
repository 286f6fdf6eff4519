"""The scripts that Redis runs for the nodes of a server: each one step that nothing comes between.

Keys, behind a prefix: `epoch` the last that was given, `node:NODE` while a node lives, `at:DEVICE`
where a device is (node, epoch), `room:TAG` who is under a tag (device to node and epoch). What a
node has said ends by itself; what a node that lives no more has said counts nothing.
"""

from __future__ import annotations

CLAIM = """
-- KEYS epoch; ARGV count, at least. The first of so many new epochs.
local time = redis.call('TIME')
local epoch = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
epoch = math.max(epoch, last + 1, tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.0f', epoch + ARGV[1] - 1))
return string.format('%016.0f', epoch)
"""

PLACE = """
-- KEYS at:DEVICE; ARGV prefix, node, device, epoch, ttl ms.
-- A device is at this node. Gives where it is with a newer epoch, or nothing.
local now = redis.call('GET', KEYS[1])
if now and #now == 32 then
  local node, epoch = string.sub(now, 1, 16), string.sub(now, 17)
  if epoch > ARGV[4] then return epoch end
  if node ~= ARGV[2] then
    local body = ARGV[3] .. ARGV[4]
    local record = 'L' .. struct.pack('>I4', #body) .. body
    redis.call('PUBLISH', ARGV[1] .. 'to:' .. node, '\\1' .. ARGV[2] .. record)
  end
end
redis.call('SET', KEYS[1], ARGV[2] .. ARGV[4], 'PX', ARGV[5])
return ''
"""

LEAVE = """
-- KEYS at:DEVICE; ARGV node and epoch. A device is at this node no more.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return ''
"""

MAIL = """
-- KEYS at:DEVICE; ARGV prefix, node, device. An envelope waits for a device.
local now = redis.call('GET', KEYS[1])
if now and #now == 32 and string.sub(now, 1, 16) ~= ARGV[2] then
  local record = 'M' .. struct.pack('>I4', #ARGV[3]) .. ARGV[3]
  redis.call('PUBLISH', ARGV[1] .. 'to:' .. string.sub(now, 1, 16), '\\1' .. ARGV[2] .. record)
end
return ''
"""

ROOM = """
-- KEYS room:TAG; ARGV prefix, node, ttl ms, most, tag, then device and epoch of each who is here.
-- Tells each other node once what changed; gives device and place of everybody elsewhere.
local me, most, mine = ARGV[2], tonumber(ARGV[4]), {}
for i = 6, #ARGV, 2 do mine[ARGV[i]] = ARGV[i + 1] end
local alive, nodes, others, changes, count = {[me] = true}, {}, {}, {}, 0
local function lives(node)
  if alive[node] == nil then
    alive[node] = redis.call('EXISTS', ARGV[1] .. 'node:' .. node) == 1
  end
  return alive[node]
end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local device, node, epoch = all[i], string.sub(all[i + 1], 1, 16), string.sub(all[i + 1], 17)
  if #device ~= 32 or #epoch ~= 16 or not lives(node) then
    redis.call('HDEL', KEYS[1], device)
  elseif node == me then
    if mine[device] == nil then
      redis.call('HDEL', KEYS[1], device)
      changes[#changes + 1] = '-' .. device .. epoch
    elseif mine[device] == epoch then
      mine[device] = nil
      count = count + 1
    end
  else
    nodes[node] = true
    if mine[device] == nil or epoch > mine[device] then
      mine[device] = nil
      count = count + 1
      others[#others + 1] = device
      others[#others + 1] = node .. epoch
    end
  end
end
for device, epoch in pairs(mine) do
  if count < most then
    count = count + 1
    redis.call('HSET', KEYS[1], device, me .. epoch)
    changes[#changes + 1] = '+' .. device .. epoch
  end
end
if #changes > 0 then
  local body = ARGV[5] .. table.concat(changes)
  local message = '\\1' .. me .. 'R' .. struct.pack('>I4', #body) .. body
  for node in pairs(nodes) do redis.call('PUBLISH', ARGV[1] .. 'to:' .. node, message) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return others
"""

SCRIPTS = {"claim": CLAIM, "place": PLACE, "leave": LEAVE, "mail": MAIL, "room": ROOM}
