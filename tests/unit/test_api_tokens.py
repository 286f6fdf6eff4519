"""Tokens of the local API."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import jwt
import pytest

from folkmoot.api.tokens import Refused, TokenBook
from folkmoot.domain.errors import EnvironmentFault, UserError


def scopes(book: TokenBook, token: str) -> frozenset[str]:
    """What the book says of a token, on a loop of its own."""
    return asyncio.run(book.scopes_of(token))


def test_a_token_has_the_scopes_it_was_made_with(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "api")
    token = book.make(["write", "read"], 60)
    assert scopes(book, token) == {"read", "write"}


def test_a_token_that_was_taken_back_is_refused(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "api")
    kept, ended = book.make(["read"], 60), book.make(["read"], 60)
    book.revoke(jwt.decode(ended, options={"verify_signature": False})["jti"])
    assert scopes(book, kept) == {"read"}
    with pytest.raises(Refused) as refused:
        scopes(book, ended)
    assert refused.value.code == "token_revoked"


def test_a_token_out_of_date_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = TokenBook(tmp_path / "api")
    with monkeypatch.context() as then:
        then.setattr("folkmoot.api.tokens.time.time", lambda: 1_000_000.0)
        token = book.make(["read"], 60)
    with pytest.raises(Refused) as refused:
        scopes(book, token)
    assert refused.value.code == "token_expired"


def test_a_token_with_no_signature_is_refused(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "api")
    claims = jwt.decode(book.make(["read"], 60), options={"verify_signature": False})
    forged = jwt.encode({**claims, "scope": "admin"}, "", algorithm="none")
    with pytest.raises(Refused):
        scopes(book, forged)


def test_a_token_before_any_was_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        scopes(TokenBook(tmp_path / "api"), "x.y.z")


def test_the_secret_and_the_list_are_private_and_hold_no_token(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "api")
    token = book.make(["read"], 60)
    for name in ("secret", "tokens.json"):
        file = tmp_path / "api" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert token.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("wanted", "expires_s"), [([], 60), (["root"], 60), (["read"], 0), (["read"], 10**12)]
)
def test_wrong_terms_are_refused(tmp_path: Path, wanted: list[str], expires_s: int) -> None:
    with pytest.raises(UserError):
        TokenBook(tmp_path / "api").make(wanted, expires_s)
    assert not TokenBook(tmp_path / "api").records()


def test_a_damaged_list_is_told_in_words(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "api")
    book.make(["read"], 60)
    (tmp_path / "api" / "tokens.json").write_bytes(b"{")
    with pytest.raises(EnvironmentFault) as fault:
        book.records()
    assert fault.value.code == "tokens_unreadable"
