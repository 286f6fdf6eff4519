"""The mailbox of a server with several nodes: in Redis, where every envelope ends by itself.

The same quotas, order and interface as `mailbox` has. Each request is one script, so that nothing
comes between looking and writing. Keys, behind the prefix of the server: `mail:box:RECIPIENT`
(sender and id by number), `mail:text:NUMBER` (the envelope), `mail:of:…` (its number, by recipient,
sender and id), `mail:meta` and `mail:ends` (what it counts for and until when), `mail:count` and
`mail:size`. An envelope is kept as well as Redis keeps it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from redis.exceptions import NoScriptError

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import MAX_ENVELOPE_BYTES
from folkmoot_signaling.mailbox import (
    FULL,
    MAX_KEEP_S,
    MIN_KEEP_S,
    TOO_LARGE,
    MailLimits,
    Receipt,
    Waiting,
)
from folkmoot_signaling.redis_client import TROUBLE, key_prefix, open_redis

_CONNECTIONS: Final = 8
_PAGE: Final = 64
_COMMON = """
local prefix = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1])
local function count_for(meta, sign)
  -- meta: recipient (32), sender (32), id (16), number (16), size (8), address
  local size = sign * tonumber(string.sub(meta, 97, 104))
  local recipient, sender = string.sub(meta, 1, 32), string.sub(meta, 33, 64)
  local address = string.sub(meta, 105)
  for _, who in ipairs({'r' .. recipient, 's' .. sender, 'p' .. recipient .. sender,
                        'a' .. address, 't'}) do
    if redis.call('HINCRBY', prefix .. 'count', who, sign) <= 0 then
      redis.call('HDEL', prefix .. 'count', who)
      redis.call('HDEL', prefix .. 'size', who)
    else
      redis.call('HINCRBY', prefix .. 'size', who, size)
    end
  end
end
local function drop(number)
  local meta = redis.call('HGET', prefix .. 'meta', number)
  if not meta then return end
  redis.call('HDEL', prefix .. 'meta', number)
  redis.call('ZREM', prefix .. 'ends', number)
  redis.call('ZREM', prefix .. 'box:' .. string.sub(meta, 1, 32), number)
  redis.call('DEL', prefix .. 'text:' .. number, prefix .. 'of:' .. string.sub(meta, 1, 80))
  count_for(meta, -1)
end
local function expire(most)
  local over = redis.call('ZRANGEBYSCORE', prefix .. 'ends', '-inf', now, 'LIMIT', 0, most)
  for _, number in ipairs(over) do drop(number) end
end
local function usage()
  return {redis.call('HGET', prefix .. 'count', 't') or '0',
          redis.call('HGET', prefix .. 'size', 't') or '0'}
end
"""
_PUT = (
    _COMMON
    + """
-- ARGV recipient, sender, id, address, sealed, keep s, then most count and most bytes of each quota
expire(256)
local which = ARGV[1] .. ARGV[2] .. ARGV[3]
local before = redis.call('GET', prefix .. 'of:' .. which)
if before then
  local left = (tonumber(redis.call('ZSCORE', prefix .. 'ends', before) or '0')) - now
  if left > 0 then return {left, usage()} end
  drop(before)
end
local size = #ARGV[5]
local quotas = {'r' .. ARGV[1], 's' .. ARGV[2], 'p' .. ARGV[1] .. ARGV[2], 'a' .. ARGV[4], 't'}
for i, who in ipairs(quotas) do
  local count = tonumber(redis.call('HGET', prefix .. 'count', who) or '0')
  local bytes = tonumber(redis.call('HGET', prefix .. 'size', who) or '0')
  if count + 1 > tonumber(ARGV[5 + 2 * i]) or bytes + size > tonumber(ARGV[6 + 2 * i]) then
    return {0, usage()}
  end
end
local last = tonumber(redis.call('GET', prefix .. 'number') or '0')
local number = math.max(now * 1000000 + time[2], last + 1)
redis.call('SET', prefix .. 'number', string.format('%.0f', number))
number = string.format('%016.0f', number)
local meta = which .. number .. string.format('%08d', size) .. ARGV[4]
redis.call('HSET', prefix .. 'meta', number, meta)
redis.call('ZADD', prefix .. 'ends', now + ARGV[6], number)
redis.call('ZADD', prefix .. 'box:' .. ARGV[1], number, number)
redis.call('SET', prefix .. 'text:' .. number, ARGV[5], 'EX', ARGV[6])
redis.call('SET', prefix .. 'of:' .. which, number, 'EX', ARGV[6])
count_for(meta, 1)
for _, key in ipairs({'meta', 'ends', 'count', 'size', 'box:' .. ARGV[1]}) do
  if redis.call('TTL', prefix .. key) < ARGV[6] + 60 then
    redis.call('EXPIRE', prefix .. key, ARGV[6] + 60)
  end
end
return {tonumber(ARGV[6]), usage()}
"""
)
_WAITING = (
    _COMMON
    + """
-- ARGV recipient, after, most bytes, most
expire(64)
local found, size = {}, 0
local box = redis.call('ZRANGEBYSCORE', prefix .. 'box:' .. ARGV[1], '(' .. ARGV[2], '+inf',
                       'LIMIT', 0, ARGV[4])
for _, number in ipairs(box) do
  local text = redis.call('GET', prefix .. 'text:' .. number)
  local meta = redis.call('HGET', prefix .. 'meta', number)
  if text and meta then
    size = size + #text
    if #found > 0 and size > tonumber(ARGV[3]) then break end
    found[#found + 1] = {number, string.sub(meta, 65, 80), text}
  elseif meta then
    drop(number)
  else
    redis.call('ZREM', prefix .. 'box:' .. ARGV[1], number)
  end
end
return {found, usage()}
"""
)
_TAKEN = (
    _COMMON
    + """
-- ARGV recipient, then ids
local wanted = {}
for i = 2, #ARGV do wanted[ARGV[i]] = true end
for _, number in ipairs(redis.call('ZRANGE', prefix .. 'box:' .. ARGV[1], 0, -1)) do
  local meta = redis.call('HGET', prefix .. 'meta', number)
  if meta and wanted[string.sub(meta, 65, 80)] then drop(number) end
end
return {0, usage()}
"""
)


class RedisMailbox:
    """`Mailbox` over Redis. Raises EnvironmentFault ``mailbox_away``."""

    def __init__(self, url: str, server_id: bytes, limits: MailLimits) -> None:
        self.limits = limits
        self._client = open_redis(url, _CONNECTIONS)
        self._prefix = key_prefix(server_id) + "mail:"
        self._usage = (0, 0)

    async def put(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        sealed: bytes,
        keep_s: int,
    ) -> Receipt:
        """As `Mailbox.put`."""
        if not 0 < len(sealed) <= MAX_ENVELOPE_BYTES:
            return Receipt(0, TOO_LARGE)
        limits = self.limits
        keep_s = min(max(keep_s, MIN_KEEP_S), max(limits.keep_s, MIN_KEEP_S), MAX_KEEP_S)
        quotas = (
            *(limits.recipient_count, limits.recipient_bytes),
            *(limits.sender_count, limits.sender_bytes),
            *(limits.pair_count, limits.pair_bytes),
            *(limits.address_count, limits.address_bytes),
            *(limits.total_count, limits.total_bytes),
        )
        words = (recipient, sender, id, address.encode(), sealed, keep_s, *quotas)
        kept_s = int(await self._run(_PUT, *words))
        return Receipt(kept_s) if kept_s else Receipt(0, FULL)

    async def waiting(
        self, recipient: DeviceId, after: int = 0, max_bytes: int = MAX_ENVELOPE_BYTES
    ) -> list[Waiting]:
        """As `Mailbox.waiting`."""
        found = await self._run(_WAITING, recipient, after, max_bytes, _PAGE)
        return [Waiting(int(number), id, sealed) for number, id, sealed in found]

    async def taken(self, recipient: DeviceId, ids: Sequence[bytes]) -> None:
        """As `Mailbox.taken`."""
        await self._run(_TAKEN, recipient, *ids)

    def usage(self) -> tuple[int, int]:
        """As `Mailbox.usage`, as of the last request of this node."""
        return self._usage

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _run(self, script: str, *words: Any) -> Any:
        name = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        # Its stubs have no types for this one.
        execute: Callable[..., Awaitable[Any]] = self._client.execute_command
        try:
            try:
                answer = await execute("EVALSHA", name, 1, self._prefix, *words)
            except NoScriptError:
                answer = await execute("EVAL", script, 1, self._prefix, *words)
        except TROUBLE as error:
            raise EnvironmentFault(
                "mailbox_away", "The mailbox does not answer.", "Is Redis there?"
            ) from error
        content, (count, size) = answer
        self._usage = (int(count), int(size))
        return content
