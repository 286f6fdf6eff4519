"""How this server speaks to Redis: one try, short waits, bytes. And what can go wrong with it."""

from __future__ import annotations

import hashlib

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

WAIT_S = 2.0
"""For one answer; a Redis that takes longer is away."""
TROUBLE = (RedisError, OSError, TimeoutError)


def open_redis(url: str, connections: int) -> redis.Redis:
    """A client; connects when it is used, and tries nothing twice."""
    client: redis.Redis = redis.Redis.from_url(
        url,
        socket_timeout=WAIT_S,
        socket_connect_timeout=WAIT_S,
        max_connections=connections,
        protocol=2,
        # To name its version the library reads files, on the loop, at every connection.
        driver_info=None,
        retry=Retry(NoBackoff(), 0),
    )
    return client


def key_prefix(server_id: bytes) -> str:
    """Before all keys and channels of one server: several may share a Redis."""
    return f"folkmoot:{hashlib.sha256(server_id).hexdigest()[:16]}:"
