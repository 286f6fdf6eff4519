"""`/metrics` for Prometheus: read from plain numbers when somebody asks, so that counting costs
the path of a frame nothing.

Served to this computer, and to who has the configured token. Refuses everybody else, and what a
proxy handed on: to the server that looks as if it came from here. A proxy shows by a header, or by
a `Host` that is not this computer; one that shows nothing at all is told of by `trusted_proxies`.
Holds no device, address or tag.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from folkmoot import __version__
from folkmoot_signaling.answers import refuse
from folkmoot_signaling.counters import Counters

PREFIX = "folkmoot_signaling_"
NOW = frozenset({"connections", "sessions"})
"""Counters of what is now; the others only grow."""
_FORWARDING = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
Gauges = Callable[[], dict[str, float]]


class CountersCollector(Collector):
    """Makes metrics of `Counters` and of `gauges`, when it is asked."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.gauges: dict[str, float] = {}

    def collect(self) -> Iterator[Metric]:
        """All metrics, by the names of the counters."""
        yield InfoMetricFamily(PREFIX + "build", "What runs.", {"version": __version__})
        for one in fields(Counters):
            value = getattr(self._counters, one.name)
            words = one.name.replace("_", " ").capitalize()
            if one.name in NOW:
                yield GaugeMetricFamily(PREFIX + one.name, f"{words} now.", value)
            else:
                yield CounterMetricFamily(PREFIX + one.name, f"{words} since the start.", value)
        for name, number in self.gauges.items():
            words = name.replace("_", " ").capitalize()
            yield GaugeMetricFamily(PREFIX + name, f"{words}.", number)


class Metrics:
    """The path `/metrics`."""

    def __init__(
        self, counters: Counters, gauges: Gauges, token: str, *, local: bool = True
    ) -> None:
        """`gauges` is asked on the loop. `local`: this computer needs no token."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._collector = CountersCollector(counters)
        self._registry.register(self._collector)
        ProcessCollector(registry=self._registry)
        self._gauges = gauges
        self._token = token
        self._local = local

    async def show(self, request: web.Request) -> web.Response:
        """The metrics, or 403."""
        local = self._local and is_local(request.remote or "", request.headers)
        if not (local or self._has_token(request)):
            return refuse(
                403,
                "forbidden",
                "Metrics are for this computer itself, or for who has the token.",
                "metrics_token_file in the configuration.",
            )
        self._collector.gauges = self._gauges()
        # The figures of the process are read from files.
        body = await asyncio.to_thread(generate_latest, self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _has_token(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode(errors="replace")
        return (
            bool(self._token)
            and scheme.lower() == "bearer"
            and hmac.compare_digest(given, self._token.encode())
        )


def is_local(peer: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from this computer itself and no proxy handed it on."""
    named = {name.lower(): value for name, value in headers.items()}
    if any(name.lower() in named for name in _FORWARDING):
        return False
    return _is_loopback(peer) and _is_loopback(_host_in(named.get("host", "")))


def _host_in(text: str) -> str:
    """A `Host` header without its port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"
