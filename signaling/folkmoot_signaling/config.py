"""The configuration: a TOML file, secrets in files named by the environment, the command line.

The command line counts more than the environment, that more than the file, that more than the
defaults, with which the server runs as it is. Refuses a setting that does not exist and a value
that does not fit, with its name and what to write. The value of a secret is never in such words.
"""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from folkmoot import __version__
from folkmoot.domain.address import Address
from folkmoot.domain.errors import UserError
from folkmoot.domain.servers import parse_server
from folkmoot.protocol.signaling import (
    MAX_RELAYED_BYTES,
    MAX_ROOM_DEVICES,
    MAX_TAGS,
)
from folkmoot_signaling import values
from folkmoot_signaling.log import LEVELS
from folkmoot_signaling.mailbox import MAX_KEEP_S, MIN_KEEP_S, MailLimits
from folkmoot_signaling.settings import DEFAULT_LISTEN, Bounds, Rate, Settings
from folkmoot_signaling.tokens import MIN_SECRET_BYTES, server_id
from folkmoot_signaling.turn import CREDENTIAL_S, TurnCredentials

MAX_FILE_BYTES = 256 * 1024
MAX_SECRET_BYTES = 4096
DRAIN_S = 4.0
MAX_DRAIN_S = 6.0
"""With what comes before and after, a drain is over within ten seconds."""
ENVIRONMENT = {
    "FOLKMOOT_JWT_SECRET_FILE": "jwt_secret_file",
    "FOLKMOOT_TURN_SECRET_FILE": "turn_secret_file",
    "FOLKMOOT_METRICS_TOKEN_FILE": "metrics_token_file",
    "FOLKMOOT_REDIS_FILE": "redis_file",
}
_SECRET = frozenset({"turn_secret", "redis"})
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class _Setting:
    read: values.Reader
    example: str


_SETTINGS = {
    "listen": _Setting(values.many(values.read_address), '["127.0.0.1:8480"]'),
    "names": _Setting(values.many(values.read_name), '["wss://talk.example.org"]'),
    "trusted_proxies": _Setting(values.many(values.read_network), '["127.0.0.1", "::1"]'),
    "tls_cert": _Setting(values.read_text, '"fullchain.pem"'),
    "tls_key": _Setting(values.read_text, '"privkey.pem"'),
    "jwt_secret_file": _Setting(values.read_text, '"jwt-secret"'),
    "stun": _Setting(values.read_switch, "true"),
    "stun_listen": _Setting(values.many(values.read_address), '["0.0.0.0:8480", "[::]:8480"]'),
    "stun_port": _Setting(values.whole(1, 65535), "8480"),
    "turn_urls": _Setting(values.read_turn_urls, '["turn:turn.example.org:3478?transport=udp"]'),
    "turn_secret": _Setting(values.read_text, '"…"'),
    "turn_secret_file": _Setting(values.read_text, '"turn-secret"'),
    "turn_valid_s": _Setting(values.whole(1800, 86_400), str(CREDENTIAL_S)),
    "mailbox": _Setting(values.one_of("memory", "file", "redis", "off"), '"memory"'),
    "mailbox_file": _Setting(values.read_text, '"/var/lib/folkmoot-signaling/mailbox"'),
    "metrics_token_file": _Setting(values.read_text, '"metrics-token"'),
    "redis": _Setting(values.read_redis, '"redis://127.0.0.1:6379/0"'),
    "redis_file": _Setting(values.read_text, '"redis-url"'),
    "drain_s": _Setting(values.seconds(0, MAX_DRAIN_S), f"{DRAIN_S:g}"),
    "drain_to": _Setting(values.read_name, '"wss://talk2.example.org"'),
    "log_level": _Setting(values.one_of(*LEVELS), '"info"'),
}
_MOST_COUNT = 2**31
_MOST = {
    "key_rooms": MAX_TAGS,
    "room_devices": MAX_ROOM_DEVICES,
}


def _limit_setting(name: str, default: object) -> _Setting:
    if isinstance(default, Rate):
        # Less than one frame at once would be nothing, for ever.
        least = MAX_RELAYED_BYTES if name.endswith("_bytes") else 1
        example = f"{{ per_s = {default.per_s:g}, burst = {default.burst:g} }}"
        return _Setting(values.rate(least), example)
    return _Setting(values.whole(1, _MOST.get(name, _MOST_COUNT)), str(default))


_MAIL = {
    one.name: _Setting(values.whole(MIN_KEEP_S, MAX_KEEP_S), str(one.default))
    if one.name == "keep_s"
    else _limit_setting(one.name, one.default)
    for one in fields(MailLimits)
}
_LIMITS = {
    one.name: _limit_setting(one.name, getattr(Bounds(), one.name)) for one in fields(Bounds)
}


@dataclass(frozen=True, slots=True)
class Config:
    """How a server is run. `settings` is the part that the WebSocket side needs."""

    settings: Settings
    jwt_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    tls: tuple[Path, Path] | None = None
    stun: bool = True
    stun_listen: tuple[Address, ...] = ()
    """Empty: where TCP is listened on."""
    stun_port: int = 0
    """To announce instead of the port that is bound; 0: that one."""
    turn: TurnCredentials = field(default_factory=TurnCredentials)
    mail: MailLimits | None = field(default_factory=MailLimits)
    """None: no mailbox."""
    mailbox_file: Path | None = None
    """None: it is in memory."""
    metrics_token: str = ""
    metrics_local: bool = True
    """This computer may read them without the token; not where it is said that there are proxies,
    since what they hand on seems to come from here."""
    redis: str = ""
    drain_s: float = DRAIN_S
    drain_to: str = ""
    log_level: str = "info"
    check: bool = False
    """Only see whether the configuration is good."""

    def is_named(self, bound: Sequence[Address]) -> bool:
        """Whether it is said how nodes reach the server; on this computer alone it need not be."""
        return bool(self.settings.names) or all(_is_loopback(one.host) for one in bound)

    def announced_stun(self, bound: Sequence[Address]) -> int:
        """The port that nodes are told; 0 where they could not reach it."""
        if not bound:
            return 0
        if self.stun_port:
            return self.stun_port
        far = any(not _is_loopback(parse_server(name).host) for name in self.settings.names)
        if far and all(_is_loopback(address.host) for address in bound):
            return 0
        return bound[0].port


def load_config(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> Config:
    """Read everything; blocking. Raises UserError ``bad_setting``, ``no_such_setting``,
    ``bad_config``, ``bad_secret``; ends the process as argparse does for wrong arguments."""
    options = vars(_parser().parse_args(arguments))
    file = options.pop("config")
    check = options.pop("check")
    found: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    mail: dict[str, Any] = {}
    if file is not None:
        found = _read_file(Path(file))
        limits = _read_table(found.pop("limits", {}), _LIMITS, f"[limits] of {file}")
        mail = _read_table(found.pop("mail", {}), _MAIL, f"[mail] of {file}")
        found = _read_table(found, _SETTINGS, file)
        found = {name: _at_home(name, value, Path(file)) for name, value in found.items()}
    for variable, name in ENVIRONMENT.items():
        if environ.get(variable):
            found[name] = environ[variable]
            found.pop(name.removesuffix("_file"), None)
    for name, value in options.items():
        if value is not None:
            found[name] = _read(name, value, _SETTINGS[name], "the command line")
    return replace(_build(found, limits, mail), check=check)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot-signaling",
        description="Introduces Folkmoot computers that cannot find each other.",
        epilog="Everything has a default. packaging/signaling/signaling.toml has every setting.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"folkmoot-signaling {__version__}")
    add = parser.add_argument
    add("--config", metavar="FILE", help="a TOML file with settings")
    add("--check", action="store_true", help="only see whether the configuration is good")
    add(
        "--listen",
        action="append",
        metavar="HOST:PORT",
        help=f"listen here (repeatable; default: {DEFAULT_LISTEN}; port 0 takes a free one)",
    )
    add(
        "--name",
        action="append",
        dest="names",
        metavar="URL",
        help="an address by which nodes reach it, such as wss://talk.example.org (repeatable)",
    )
    add("--tls-cert", metavar="FILE", help="speak TLS with this certificate (PEM, whole chain)")
    add("--tls-key", metavar="FILE", help="the key of the certificate")
    add(
        "--trusted-proxy",
        action="append",
        dest="trusted_proxies",
        metavar="ADDRESS",
        help="believe X-Forwarded-For of this address or network (repeatable)",
    )
    add("--redis", metavar="URL", help="share rooms with other nodes of this server over Redis")
    return parser


def _read_file(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"it is longer than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(content.decode())
    except OSError as error:
        raise UserError(
            "bad_config", f"The configuration {file} cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        # Errors of TOML say line and column.
        raise UserError(
            "bad_config",
            f"The configuration {file} is not TOML: {error}.",
            'A line is like: listen = ["127.0.0.1:8480"]',
        ) from error


def _read_table(table: object, known: Mapping[str, _Setting], where: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        name = where.partition(" of ")[0]
        raise UserError("bad_setting", f"There is no table {where}.", f"Write {name} above it.")
    found = {}
    for name, value in table.items():
        setting = known.get(name)
        if setting is None:
            raise _unknown(name, known, where)
        found[name] = _read(name, value, setting, where)
    return found


def _read(name: str, value: object, setting: _Setting, where: str) -> Any:
    try:
        return setting.read(value)
    except ValueError as error:
        shown = "" if name in _SECRET else f" {str(value)[:80]!r}"
        raise UserError(
            "bad_setting",
            f"The setting “{name}” in {where} is wrong:{shown} is not {error}.".replace(
                "wrong: is", "wrong: it is"
            ),
            f"Write, for example: {name} = {setting.example}",
        ) from error


def _unknown(name: str, known: Mapping[str, _Setting], where: str) -> UserError:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"Do you mean “{near[0]}”?" if near else f"There are: {', '.join(known)}."
    for table, names in (("limits", _LIMITS), ("mail", _MAIL)):
        if name in names:
            hint = f"It belongs into the table [{table}]."
    return UserError("no_such_setting", f"There is no setting “{name[:80]}” in {where}.", hint)


def _at_home(name: str, value: Any, file: Path) -> Any:
    """Names of files in a configuration are relative to its folder."""
    if name.endswith("_file") or name in ("tls_cert", "tls_key"):
        return str(file.parent / value)
    return value


def _build(found: dict[str, Any], limits: dict[str, Any], mail: dict[str, Any]) -> Config:
    secret = _secret_of("jwt_secret", found)
    if secret and len(secret) < MIN_SECRET_BYTES:
        raise UserError(
            "bad_secret",
            f"The secret in {found['jwt_secret_file']} (jwt_secret_file) is too short.",
            f"It has {MIN_SECRET_BYTES} bytes at least: openssl rand -hex 32",
        )
    listen = found.get("listen") or (DEFAULT_LISTEN,)
    tls = _tls_of(found)
    redis = _redis_of(found)
    if redis and not secret:
        raise UserError(
            "bad_setting",
            "The setting “jwt_secret_file” is missing: all nodes of one server need the same.",
            f"Write, for example: jwt_secret_file = {_SETTINGS['jwt_secret_file'].example}",
        )
    settings = Settings(
        listen=listen,
        names=found.get("names", ()),
        proxies=found.get("trusted_proxies", _default_proxies(listen, tls is not None)),
        server_id=server_id(secret) if secret else secrets.token_bytes(32),
        bounds=Bounds(**limits),
    )
    return Config(
        settings=settings,
        jwt_secret=secret or secrets.token_bytes(32),
        tls=tls,
        stun=found.get("stun", True),
        stun_listen=found.get("stun_listen", ()),
        stun_port=found.get("stun_port", 0),
        turn=_turn_of(found),
        mail=MailLimits(**mail) if found.get("mailbox") != "off" else None,
        mailbox_file=_mailbox_file_of(found),
        metrics_local="trusted_proxies" not in found,
        metrics_token=_secret_of("metrics_token", found).decode(errors="replace"),
        redis=redis,
        drain_s=found.get("drain_s", DRAIN_S),
        drain_to=found.get("drain_to", ""),
        log_level=found.get("log_level", "info"),
    )


def _default_proxies(listen: Sequence[Address], own_tls: bool) -> tuple[str, ...]:
    """A server that only this computer reaches has its proxy there."""
    behind = not own_tls and all(_is_loopback(address.host) for address in listen)
    return _LOOPBACK if behind else ()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls_of(found: Mapping[str, Any]) -> tuple[Path, Path] | None:
    certificate, key = found.get("tls_cert"), found.get("tls_key")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        lacking = "tls_cert" if certificate is None else "tls_key"
        raise UserError(
            "bad_setting",
            f"The setting “{lacking}” is missing: TLS needs tls_cert and tls_key.",
            f"Write, for example: {lacking} = {_SETTINGS[lacking].example}",
        )
    return Path(certificate), Path(key)


def _turn_of(found: Mapping[str, Any]) -> TurnCredentials:
    urls = found.get("turn_urls", ())
    secret = _secret_of("turn_secret", found)
    if bool(urls) != bool(secret):
        lacking = "turn_urls" if secret else "turn_secret_file"
        raise UserError(
            "bad_setting",
            f"The setting “{lacking}” is missing: TURN needs addresses and a secret.",
            f"Write, for example: {lacking} = {_SETTINGS[lacking].example}",
        )
    return TurnCredentials(secret, urls, found.get("turn_valid_s", CREDENTIAL_S))


def _mailbox_file_of(found: Mapping[str, Any]) -> Path | None:
    shared = "redis" in found or "redis_file" in found
    kind = found.get("mailbox", "file" if "mailbox_file" in found else "memory")
    if shared and kind == "memory" and "mailbox" not in found:
        kind = "redis"
    if (kind == "redis") != shared and kind != "off":
        raise UserError(
            "bad_setting",
            f"The settings “redis” and “mailbox” do not fit together: {kind}.",
            'Several nodes have one mailbox: mailbox = "redis", or "off".',
        )
    if (kind == "file") != ("mailbox_file" in found):
        raise UserError(
            "bad_setting",
            "The settings “mailbox” and “mailbox_file” do not fit together.",
            f'Write: mailbox = "file" and mailbox_file = {_SETTINGS["mailbox_file"].example}',
        )
    return Path(found["mailbox_file"]) if kind == "file" else None


def _redis_of(found: Mapping[str, Any]) -> str:
    text = _secret_of("redis", found).decode(errors="replace")
    return str(_read("redis", text, _SETTINGS["redis"], "redis_file")) if text else ""


def _secret_of(name: str, found: Mapping[str, Any]) -> bytes:
    """The secret itself, or the content of its file without spaces around; empty: there is none."""
    given, file = found.get(name), found.get(f"{name}_file")
    if given is not None and file is not None:
        raise UserError(
            "bad_setting",
            f"“{name}” and “{name}_file” are both set, and one of them is enough.",
            f"Keep {name}_file.",
        )
    if file is None:
        return str(given or "").encode()
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_SECRET_BYTES + 1).strip()
    except OSError as error:
        raise UserError(
            "bad_secret", f"The file {file} ({name}_file) cannot be read: {error.strerror}."
        ) from error
    if not 0 < len(content) <= MAX_SECRET_BYTES:
        raise UserError(
            "bad_secret",
            f"The file {file} ({name}_file) is empty or too long.",
            f"It holds a secret of {MAX_SECRET_BYTES} bytes at most: openssl rand -hex 32",
        )
    return content
