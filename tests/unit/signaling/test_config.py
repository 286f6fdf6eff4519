"""The configuration: everything has a default, what is wrong is named, secrets stay secret."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from folkmoot.domain.address import Address
from folkmoot.domain.errors import UserError
from folkmoot_signaling import config
from folkmoot_signaling.config import Config, load_config
from folkmoot_signaling.mailbox import MailLimits
from folkmoot_signaling.settings import Bounds, Rate

_TOP = Path(__file__).parents[3]
_SHIPPED = _TOP / "packaging" / "signaling" / "signaling.toml"


def _load(folder: Path, text: str, *arguments: str, **environ: str) -> Config:
    file = folder / "signaling.toml"
    file.write_text(text)
    return load_config(["--config", str(file), *arguments], environ)


def _refusal(folder: Path, text: str, *arguments: str, **environ: str) -> UserError:
    with pytest.raises(UserError) as caught:
        _load(folder, text, *arguments, **environ)
    return caught.value


def test_without_anything_it_runs_on_loopback_and_believes_a_proxy_there() -> None:
    made = load_config([], {})
    assert made.settings.listen == (Address("127.0.0.1", 8480),)
    assert made.settings.proxies == ("127.0.0.0/8", "::1/128")
    assert len(made.jwt_secret) == 32
    assert made.stun
    assert made.tls is None
    assert made.turn.urls == ()


def test_a_server_that_others_reach_directly_believes_no_proxy() -> None:
    assert load_config(["--listen", "0.0.0.0:8480"], {}).settings.proxies == ()


def test_a_server_with_tls_of_its_own_believes_no_proxy(tmp_path: Path) -> None:
    made = load_config(["--tls-cert", "a", "--tls-key", "b"], {})
    assert made.settings.proxies == ()
    assert made.tls == (Path("a"), Path("b"))


def test_two_starts_have_other_secrets_unless_one_is_configured(tmp_path: Path) -> None:
    first, second = load_config([], {}), load_config([], {})
    assert first.jwt_secret != second.jwt_secret
    assert first.settings.server_id != second.settings.server_id
    (tmp_path / "jwt").write_text("x" * 40 + "\n")
    first, second = (_load(tmp_path, 'jwt_secret_file = "jwt"') for _ in range(2))
    assert first.jwt_secret == second.jwt_secret == b"x" * 40
    assert first.settings.server_id == second.settings.server_id


def test_the_command_line_counts_more_than_the_file(tmp_path: Path) -> None:
    text = 'listen = ["127.0.0.1:1"]\nnames = ["wss://one.example"]\n'
    made = _load(tmp_path, text, "--listen", "127.0.0.1:2", "--listen", "[::1]:3")
    assert made.settings.listen == (Address("127.0.0.1", 2), Address("::1", 3))
    assert made.settings.names == ("wss://one.example",)


def test_the_environment_names_files_of_secrets_and_counts_more_than_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "turn").write_text("from the environment\n")
    text = 'turn_urls = ["turn:turn.example:3478"]\nturn_secret = "from the file"\n'
    made = _load(tmp_path, text, FOLKMOOT_TURN_SECRET_FILE=str(tmp_path / "turn"))
    assert made.turn.secret == b"from the environment"


def test_names_are_brought_into_canonical_form(tmp_path: Path) -> None:
    made = _load(tmp_path, 'names = ["Talk.Example.org", "https://b.example:443/", "ws://c:8480"]')
    assert made.settings.names == ("wss://talk.example.org", "wss://b.example", "ws://c:8480")


def test_limits_are_set_one_by_one(tmp_path: Path) -> None:
    text = "[limits]\nall_connections = 10\nkey_frames = { per_s = 1.5, burst = 3 }\n"
    bounds = _load(tmp_path, text).settings.bounds
    assert bounds.all_connections == 10
    assert bounds.key_frames == Rate(1.5, 3)
    assert bounds.all_frames == Bounds().all_frames


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ('listen = "127.0.0.1:1"', "listen", "a list"),
        ('listen = ["127.0.0.1"]', "listen", "an address such as"),
        ('listen = ["127.0.0.1:99999"]', "listen", "an address such as"),
        ("listen = [8480]", "listen", "an address such as"),
        ('names = ["wss://a/path"]', "names", "an address such as wss://"),
        ('trusted_proxies = ["caddy"]', "trusted_proxies", "an address or a network"),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies", "an address or a network"),
        ("stun = 1", "stun", "true or false"),
        ("stun_port = 0", "stun_port", "a whole number from 1 to 65535"),
        ("stun_port = true", "stun_port", "a whole number"),
        ("drain_s = 60", "drain_s", "a number of seconds from 0 to 6"),
        ("drain_s = nan", "drain_s", "a number of seconds from 0 to 6"),
        ('log_level = "loud"', "log_level", '"debug" or "info"'),
        ('turn_urls = ["http://turn.example"]', "turn_urls", "turn:turn.example.org"),
        ('turn_urls = ["turn:a", "turn:b", "turn:c", "turn:d", "turn:e"]', "turn_urls", "most 4"),
        ("redis = 5", "redis", "a text"),
        ('redis = "http://x"', "redis", "redis://"),
        ("[limits]\nall_connections = 0", "all_connections", "a whole number from 1"),
        ("[limits]\nkey_rooms = 65", "key_rooms", "a whole number from 1 to 64"),
        ("[limits]\nkey_frames = 5", "key_frames", "per_s"),
        ("[limits]\nkey_frames = { per_s = 0, burst = 1 }", "key_frames", "per_s above 0"),
        ("[limits]\nkey_bytes = { per_s = 9, burst = 9 }", "key_bytes", "burst at least 16384"),
        ('tls_cert = ""', "tls_cert", "a text"),
        ('mailbox = "disk"', "mailbox", '"file" or "redis" or "off"'),
        ("[mail]\nkeep_s = 60", "keep_s", "from 600 to 86400"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_to_write(
    tmp_path: Path, text: str, name: str, words: str
) -> None:
    error = _refusal(tmp_path, text)
    assert error.code == "bad_setting"
    assert f"“{name}”" in error.message
    assert "signaling.toml" in error.message
    assert words in error.message
    assert error.hint.startswith(f"Write, for example: {name} = ")
    # What is advised is taken.
    assert tomllib.loads(error.hint.removeprefix("Write, for example: "))


def test_the_mailbox_is_in_memory_in_a_file_or_nowhere(tmp_path: Path) -> None:
    made = _load(tmp_path, "")
    assert (made.mail, made.mailbox_file) == (MailLimits(), None)
    assert _load(tmp_path, 'mailbox = "off"').mail is None
    made = _load(tmp_path, 'mailbox_file = "mail"\n[mail]\nkeep_s = 600\n')
    assert made.mailbox_file == tmp_path / "mail"
    assert made.mail == MailLimits(keep_s=600)
    for text in ('mailbox = "file"', 'mailbox = "memory"\nmailbox_file = "mail"'):
        assert "do not fit together" in str(_refusal(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("lissten = []", "Do you mean “listen”?"),
        ("all_connections = 5", "[limits]"),
        ("pair_count = 5", "[mail]"),
        ("[limits]\nall_connexions = 5", "Do you mean “all_connections”?"),
        ("zzz = 5", "There are: listen"),
        ("[other]\nx = 5", "There are: listen"),
    ],
)
def test_a_setting_that_does_not_exist_is_named(tmp_path: Path, text: str, hint: str) -> None:
    error = _refusal(tmp_path, text)
    assert error.code == "no_such_setting"
    assert hint in error.hint


@pytest.mark.parametrize("text", ["listen = [", "\0", "a = 1\na = 2", "limits = 3"])
def test_what_is_not_toml_is_told_in_words(tmp_path: Path, text: str) -> None:
    assert _refusal(tmp_path, text).code in ("bad_config", "bad_setting")


def test_a_file_that_is_missing_or_huge_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_config(["--config", str(tmp_path / "none.toml")], {})
    (tmp_path / "huge.toml").write_text("#" * 300_000)
    with pytest.raises(UserError, match="longer than"):
        load_config(["--config", str(tmp_path / "huge.toml")], {})
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not TOML"):
        load_config(["--config", str(tmp_path / "odd.toml")], {})


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ('turn_urls = ["turn:a"]', "turn_secret_file"),
        ('turn_secret = "x"', "turn_urls"),
        ('tls_cert = "a"', "tls_key"),
        ('tls_key = "a"', "tls_cert"),
    ],
)
def test_half_of_a_pair_is_refused(tmp_path: Path, text: str, lacking: str) -> None:
    error = _refusal(tmp_path, text)
    assert f"“{lacking}” is missing" in error.message
    assert lacking in error.hint


def test_a_secret_is_never_in_the_words_of_an_error(tmp_path: Path) -> None:
    error = _refusal(tmp_path, 'redis = "redi://:hunter2@host"')
    assert "hunter2" not in str(error)
    (tmp_path / "url").write_text("redi://:hunter2@host")
    error = _refusal(tmp_path, 'redis_file = "url"')
    assert "hunter2" not in str(error)
    (tmp_path / "jwt").write_text("hunter2")
    error = _refusal(tmp_path, 'jwt_secret_file = "jwt"')
    assert error.code == "bad_secret"
    assert "hunter2" not in str(error)


def test_a_secret_that_is_missing_empty_or_given_twice_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in str(_refusal(tmp_path, 'metrics_token_file = "none"'))
    (tmp_path / "empty").write_text("\n")
    assert "is empty" in str(_refusal(tmp_path, 'metrics_token_file = "empty"'))
    text = 'turn_urls = ["turn:a"]\nturn_secret = "x"\nturn_secret_file = "empty"'
    assert "both set" in str(_refusal(tmp_path, text))


def test_a_port_for_stun_that_others_cannot_reach_is_not_announced() -> None:
    here = [Address("127.0.0.1", 8480)]
    assert load_config([], {}).announced_stun(here) == 8480
    assert load_config([], {}).announced_stun([]) == 0
    named = load_config(["--name", "wss://talk.example.org"], {})
    assert named.announced_stun(here) == 0
    assert named.announced_stun([Address("0.0.0.0", 8480)]) == 8480


def test_the_shipped_file_has_every_setting_and_is_good(tmp_path: Path) -> None:
    """Every line of it that is switched off is an example that is taken."""
    text = _SHIPPED.read_text()
    assert _load(tmp_path, text).settings.listen == load_config([], {}).settings.listen
    switched_on = tomllib.loads(re.sub(r"^#(?! )", "", text, flags=re.MULTILINE))
    limits, mail = switched_on.pop("limits"), switched_on.pop("mail")
    assert set(switched_on) == set(config._SETTINGS)
    config._read_table(switched_on, config._SETTINGS, "signaling.toml")
    assert set(limits) == set(config._LIMITS)
    assert Bounds(**config._read_table(limits, config._LIMITS, "limits")) == Bounds()
    assert set(mail) == set(config._MAIL)
    assert MailLimits(**config._read_table(mail, config._MAIL, "mail")) == MailLimits()


def test_what_the_page_on_hosting_says_is_true(tmp_path: Path) -> None:
    page = (_TOP / "docs" / "HOSTING.md").read_text()
    (tmp_path / "turn-secret").write_text("shared with coturn")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    made = _load(
        tmp_path, "\n".join(blocks), FOLKMOOT_TURN_SECRET_FILE=str(tmp_path / "turn-secret")
    )
    assert made.settings.names == ("wss://talk.example.org",)
    assert made.announced_stun(made.stun_listen) == 8480
    named = re.findall(r"(?:packaging|requirements)/[\w./-]+", page)
    assert len(named) > 5
    for name in named:
        assert (_TOP / name.rstrip(".")).exists()
    settings = set(config._SETTINGS) | set(config._LIMITS) | {"names"}
    for name in ("drain_s", "drain_to", "metrics_token_file", "all_connections", "tls_cert"):
        assert name in settings
        assert f"`{name}`" in page


def test_several_nodes_need_one_secret_and_have_one_mailbox(tmp_path: Path) -> None:
    redis = 'redis = "redis://127.0.0.1:6379/0"\n'
    error = _refusal(tmp_path, redis)
    assert "“jwt_secret_file” is missing" in error.message
    (tmp_path / "jwt").write_text("x" * 40)
    shared = redis + 'jwt_secret_file = "jwt"\n'
    made = _load(tmp_path, shared)
    assert made.redis == "redis://127.0.0.1:6379/0"
    assert made.mail == MailLimits()
    assert _load(tmp_path, shared + 'mailbox = "redis"').mail == MailLimits()
    assert _load(tmp_path, shared + 'mailbox = "off"').mail is None
    for text in (
        shared + 'mailbox = "memory"',
        shared + 'mailbox_file = "mail"',
        'mailbox = "redis"',
    ):
        assert "do not fit together" in str(_refusal(tmp_path, text))


def test_only_a_server_that_others_reach_directly_needs_to_know_its_names() -> None:
    near, far = [Address("127.0.0.1", 1)], [Address("127.0.0.1", 1), Address("192.0.2.1", 1)]
    unnamed = load_config([], {})
    assert unnamed.is_named(near)
    assert not unnamed.is_named(far)
    assert load_config(["--name", "wss://talk.example.org"], {}).is_named(far)
