"""Peer text on its way to the screen: markdown without HTML, without resources, at bounded cost."""

from __future__ import annotations

import time

import pytest
from PySide6 import QtGui
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFont, QTextCharFormat, QTextDocument
from pytestqt.qtbot import QtBot

from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline import documents, peertext
from folkmoot.ui.timeline.documents import Body, DocumentCache, build_body, lay_out, safe_link
from folkmoot.ui.timeline.highlight import Highlighter
from folkmoot.ui.widgets.text import plain_tip


def _body(theme: Theme, text: str, *, expanded: bool = False, width: int = 600) -> Body:
    body = build_body(text, theme, Highlighter(), expanded=expanded)
    lay_out(body, width)
    return body


def _format_of(body: Body, words: str) -> QTextCharFormat:
    """The character format in the middle of `words`."""
    cursor = body.document.find(words)
    assert not cursor.isNull(), body.document.toPlainText()
    cursor.setPosition(cursor.selectionStart() + 1)
    return cursor.charFormat()


@pytest.mark.parametrize(
    "text",
    [
        "![x](file:///etc/passwd)",
        "![x](https://example.org/track.png)",
        "**a** ![x][1]\n\n[1]: file:///etc/passwd",
        '<img src="file:///etc/passwd">',
        "[![x](file:///a.png)](https://example.org)",
    ],
)
def test_no_markdown_asks_for_a_picture(
    theme: Theme, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def load(_self: QTextDocument, _kind: int, name: QUrl | str) -> object:
        asked.append(str(name))
        return None

    monkeypatch.setattr(documents.InertDocument, "loadResource", load)
    body = _body(theme, text)
    assert asked == []
    assert "\ufffc" not in body.document.toPlainText()


def test_a_picture_is_shown_as_its_source(theme: Theme) -> None:
    assert _body(theme, "![x](file:///a)").document.toPlainText() == "![x](file:///a)"


def test_the_document_answers_nothing_when_asked(theme: Theme) -> None:
    document = documents.InertDocument()
    assert document.resource(2, QUrl("file:///etc/passwd")) is None


@pytest.mark.parametrize(
    "text",
    ["<b>x</b> *y*", "<script>alert(1)</script> `a`", "a <!-- b --> **c**", "<h1>x</h1>\n\n# y"],
)
def test_html_is_shown_as_it_was_typed(theme: Theme, text: str) -> None:
    shown = _body(theme, text).document.toPlainText()
    assert shown.startswith(text.split(" ")[0].split("\n")[0])


def test_markdown_gets_our_formats(theme: Theme) -> None:
    body = _body(theme, "**bold** *slanted* ~~gone~~ `words` https://example.org/a")
    assert _format_of(body, "bold").fontWeight() == QFont.Weight.DemiBold
    assert _format_of(body, "slanted").fontItalic()
    assert _format_of(body, "gone").fontStrikeOut()
    assert _format_of(body, "words").font().families()[0] == "JetBrains Mono"
    assert _format_of(body, "example").anchorHref() == "https://example.org/a"
    assert len(body.inline_code) == 1


def test_a_code_block_keeps_its_lines_and_its_language(theme: Theme) -> None:
    body = _body(theme, "look:\n```python\nx = 1\n\n  y = '*no*'\n```\nafter")
    (code,) = body.code_blocks
    assert (code.language, code.text) == ("python", "x = 1\n\n  y = '*no*'")
    assert code.box.bottom() < body.height


def test_code_is_coloured_once_the_lexers_are_loaded(theme: Theme, qtbot: QtBot) -> None:
    highlighter = Highlighter()
    with qtbot.waitSignal(highlighter.ready, timeout=10_000):
        assert highlighter.spans("python", "x = 1") == []
    assert (4, 1, "code_number") in highlighter.spans("python", "x = 1")
    assert highlighter.spans("no such language", "x = 1") == []


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("one\ntwo *x*", "one\ntwo x"),
        ("- a\n- b", "a\nb"),
        ("1 * 2 * 3", "1 * 2 * 3"),
        ("plain\n\nwords", "plain\n\nwords"),
    ],
)
def test_typed_line_breaks_stay(theme: Theme, typed: str, shown: str) -> None:
    text = _body(theme, typed).document.toPlainText().replace("\u2028", "\n")
    assert text == shown


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("https://example.org/x", "https://example.org/x"),
        ("http://example.org", "http://example.org"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("folkmoot://join/abc", ""),
        ("data:text/html,x", ""),
        ("https://", ""),
        ("smb://host/share", ""),
    ],
)
def test_only_web_and_mail_addresses_are_links(address: str, opened: str) -> None:
    assert safe_link(address) == opened


def test_a_link_to_anything_else_is_words(theme: Theme) -> None:
    assert not _format_of(_body(theme, "[click](javascript:alert(1))"), "click").isAnchor()


def test_direction_overrides_are_dropped_and_isolates_end_with_their_line() -> None:
    assert peertext.calm("a\u202egpj.exe\nb") == "agpj.exe\nb"
    assert peertext.calm("a\u2067b\nc\u2069") == "a\u2067b\u2069\nc"
    assert peertext.isolate("x\u202e\ny") == "\u2068x y\u2069"


def test_control_characters_without_a_picture_go() -> None:
    assert peertext.calm("a\x00\x07b\tc\r\nd") == "ab\tc\nd"


@pytest.mark.parametrize("text", ["<b>x</b>", "a <img src=x> b", "<?xml", "x < y > z"])
def test_a_tool_tip_never_looks_like_html(text: str) -> None:
    assert not QtGui.Qt.mightBeRichText(plain_tip(text))


@pytest.mark.parametrize("expanded", [False, True], ids=["shortened", "whole"])
@pytest.mark.parametrize(
    "text",
    [
        "a" * 32_000,
        "hello word " * 2_900,
        "hi\n" * 10_900,
        "*a" * 16_000,
        "- a\n" * 8_000,
        "|a|b|\n|-|-|\n" + "|c|d|\n" * 4_000,
        "[" * 32_000,
        "> " * 16_000,
        "**a " * 8_000,
    ],
    ids=["word", "words", "lines", "stars", "list", "table", "brackets", "quotes", "bold"],
)
def test_the_longest_text_costs_no_visible_pause(theme: Theme, text: str, expanded: bool) -> None:
    _body(theme, "warm *up*")
    begun = time.thread_time()
    body = _body(theme, text, expanded=expanded)
    took = time.thread_time() - begun
    assert body.shortened is not expanded
    assert took < (0.25 if expanded else 0.05)


def test_the_cache_is_bounded_and_follows_edits(theme: Theme) -> None:
    cache = DocumentCache(theme, Highlighter(), limit=10)
    for number in range(30):
        cache.body(bytes([number]), f"text {number}", 300)
    assert len(cache) == 10
    first = cache.body(b"x", "before", 300)
    assert cache.body(b"x", "before", 300) is first
    assert cache.body(b"x", "after", 300).document.toPlainText() == "after"


def test_code_that_begins_a_message_has_room_for_its_ground(theme: Theme) -> None:
    body = _body(theme, "```\nx\n```")
    assert body.code_blocks[0].box.top() + body.lead >= 4


def test_done_and_open_tasks_keep_their_marks(theme: Theme) -> None:
    document = _body(theme, "- [ ] open\n- [x] done").document
    marks = [
        document.firstBlock().blockFormat().marker(),
        document.lastBlock().blockFormat().marker(),
    ]
    assert marks == [
        QtGui.QTextBlockFormat.MarkerType.Unchecked,
        QtGui.QTextBlockFormat.MarkerType.Checked,
    ]
