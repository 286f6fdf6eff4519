"""Message text as a laid-out document: markdown through our own formats, and a bounded cache.

Refuses HTML and every resource: the reader runs with "no HTML", images become their source text,
links other than http, https and mailto become words, and `loadResource` answers nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextLine,
    QTextOption,
)

from folkmoot.ui.theme.fonts import CODE_LINE_HEIGHT, LINE_HEIGHT, TextStyle, font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline import peertext
from folkmoot.ui.timeline.highlight import Highlighter

_FIXED = QTextBlockFormat.LineHeightTypes.FixedHeight.value
_DIALECT = (
    QTextDocument.MarkdownFeature.MarkdownDialectGitHub
    | QTextDocument.MarkdownFeature.MarkdownNoHTML
)
_SCHEMES = ("http", "https", "mailto")
_PARAGRAPH_GAP = 8
_QUOTE_INDENT = 14
_CODE_INDENT = 13
_CODE_PAD = 8
_LANGUAGE_CHARACTER = 8.0
"""Room for one character of a language's name, in pixels."""
_LIST_INDENT = 22
_CODE_WORD_PAD = 4


def safe_link(address: str) -> str:
    """The address as it may be opened, or "": only http(s) with a host, and mailto."""
    url = QUrl(address, QUrl.ParsingMode.TolerantMode)
    if not url.isValid() or url.scheme().lower() not in _SCHEMES or len(address) > 2048:
        return ""
    if url.scheme().lower() != "mailto" and not url.host():
        return ""
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A run of code lines: where its ground is drawn, its language and its text.

    The language is empty where its name has no room beside the first line.
    """

    box: QRectF
    language: str
    text: str


@dataclass(slots=True)
class Body:
    """One message's text, laid out for one width. Boxes are relative to its top left corner."""

    document: QTextDocument
    text: str
    expanded: bool
    shortened: bool
    width: int = 0
    height: int = 0
    code_blocks: list[CodeBlock] = field(default_factory=list)
    inline_code: list[QRectF] = field(default_factory=list)
    quotes: list[QRectF] = field(default_factory=list)
    lead: int = 0
    """Pixels above the document, for the ground of code that begins it."""
    last_line_right: float = 0
    last_line_is_text: bool = True


class InertDocument(QTextDocument):
    """A document that never loads anything."""

    def loadResource(self, type: int, name: QUrl | str) -> object:
        """Answer nothing, whatever is asked for."""
        return None


class DocumentCache:
    """The last few hundred bodies; `limit` bounds how many are kept."""

    def __init__(self, theme: Theme, highlighter: Highlighter, limit: int = 600) -> None:
        self._theme = theme
        self._highlighter = highlighter
        self._limit = limit
        self._bodies: OrderedDict[bytes, Body] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bodies)

    def body(self, key: bytes, text: str, width: int, *, expanded: bool = False) -> Body:
        """The body of the message `key`, laid out for `width` pixels."""
        found = self._bodies.get(key)
        if found is None or found.text != text or found.expanded != expanded:
            found = build_body(text, self._theme, self._highlighter, expanded=expanded)
            self._bodies[key] = found
            if len(self._bodies) > self._limit:
                self._bodies.popitem(last=False)
        self._bodies.move_to_end(key)
        if found.width != width:
            lay_out(found, width)
        return found

    def clear(self) -> None:
        """Forget everything (another theme, another font size)."""
        self._bodies.clear()


def build_body(text: str, theme: Theme, highlighter: Highlighter, *, expanded: bool) -> Body:
    """Read a message's text into a document with our formats; not yet laid out."""
    document = InertDocument()
    document.setUndoRedoEnabled(False)
    document.setDocumentMargin(0)
    document.setIndentWidth(_LIST_INDENT)
    document.setDefaultFont(font(TextStyle.BODY))
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    document.setDefaultTextOption(option)
    shown = peertext.calm(text)
    shortened = not expanded and peertext.is_long(shown)
    if shortened:
        shown = peertext.shorten(shown)
    if peertext.has_markup(shown) and peertext.is_cheap_markdown(shown):
        document.setMarkdown(peertext.break_lines(shown), _DIALECT)
        _Formatter(document, theme, highlighter).run()
    else:
        if not peertext.is_cheap_markdown(shown):
            shown = peertext.in_pieces(shown)
        document.setPlainText(shown)
        cursor = QTextCursor(document)
        cursor.select(QTextCursor.SelectionType.Document)
        lines = QTextBlockFormat()
        lines.setLineHeight(LINE_HEIGHT, _FIXED)
        cursor.setBlockFormat(lines)
    return Body(document, text, expanded, shortened)


class _Formatter:
    """Gives a document read from markdown the theme's formats, block by block."""

    def __init__(self, document: QTextDocument, theme: Theme, highlighter: Highlighter) -> None:
        self._document = document
        self._theme = theme
        self._highlighter = highlighter
        self._cursor = QTextCursor(document)

    def run(self) -> None:
        """Format every block, from the last to the first, since text may be replaced."""
        block = self._document.lastBlock()
        while block.isValid():
            before = block.previous()
            self._block(block, before)
            block = before
        _each_code_run(self._document, self._highlight)

    def _block(self, block: QTextBlock, before: QTextBlock) -> None:
        old = block.blockFormat()
        code, quote = is_code(block), quote_level(block)
        self._cursor.setPosition(block.position())
        made = QTextBlockFormat()
        made.setAlignment(old.alignment())
        made.setMarker(old.marker())
        made.setLineHeight(CODE_LINE_HEIGHT if code else LINE_HEIGHT, _FIXED)
        if old.hasProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth):
            made.setProperty(
                QTextFormat.Property.BlockTrailingHorizontalRulerWidth,
                old.property(QTextFormat.Property.BlockTrailingHorizontalRulerWidth),
            )
        if code:
            language = old.stringProperty(QTextFormat.Property.BlockCodeLanguage)
            made.setProperty(QTextFormat.Property.BlockCodeLanguage, language[:24])
            made.setLeftMargin(_CODE_INDENT)
            made.setRightMargin(_CODE_INDENT)
            first = not (before.isValid() and is_code(before))
            made.setTopMargin(_CODE_PAD + 6 if first else 0)
            after = block.next()
            made.setBottomMargin(0 if after.isValid() and is_code(after) else _CODE_PAD + 5)
        elif quote:
            made.setProperty(QTextFormat.Property.BlockQuoteLevel, quote)
            made.setLeftMargin(_QUOTE_INDENT * min(quote, 4))
            if before.isValid() and not quote_level(before):
                made.setTopMargin(_PARAGRAPH_GAP)
        elif before.isValid() and self._cursor.currentTable() is None:
            listed = block.textList() is not None and before.textList() is not None
            made.setTopMargin(2 if listed else 0 if is_code(before) else _PARAGRAPH_GAP)
        if block.textList() is not None:
            made.setIndent(old.indent())
            made.setObjectIndex(old.objectIndex())
        self._cursor.setBlockFormat(made)
        self._fragments(block, code=code, quote=bool(quote), heading=old.headingLevel())

    def _fragments(self, block: QTextBlock, *, code: bool, quote: bool, heading: int) -> None:
        spans: list[tuple[int, int, QTextCharFormat]] = []
        walk = block.begin()
        while not walk.atEnd():
            piece = walk.fragment()
            spans.append((piece.position(), piece.length(), piece.charFormat()))
            walk += 1
        for start, length, old in reversed(spans):
            self._cursor.setPosition(start)
            self._cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            made = self._char_format(old, code=code, quote=quote, heading=heading)
            if old.isImageFormat():
                name = old.toImageFormat().name()
                alt = old.stringProperty(QTextFormat.Property.ImageAltText)
                self._cursor.insertText(f"![{alt}]({name})" * length, made)
            else:
                self._cursor.setCharFormat(made)
        if not code and not any(old.isImageFormat() for _, _, old in spans):
            for start, length, old in spans:
                if old.fontFixedPitch():
                    self._make_room(block, start, start + length)

    def _make_room(self, block: QTextBlock, start: int, end: int) -> None:
        """Space around inline code for its ground, without a character that would be copied."""
        room = QTextCharFormat()
        room.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
        room.setFontLetterSpacing(_CODE_WORD_PAD)
        for last in (start, end):
            if last > block.position():
                self._cursor.setPosition(last - 1)
                self._cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
                self._cursor.mergeCharFormat(room)

    def _char_format(
        self, old: QTextCharFormat, *, code: bool, quote: bool, heading: int
    ) -> QTextCharFormat:
        made = QTextCharFormat()
        theme = self._theme
        if code or old.fontFixedPitch():
            made.setFont(font(TextStyle.CODE))
            made.setFontFixedPitch(True)
        elif heading:
            made.setFont(font(TextStyle.TITLE if heading <= 2 else TextStyle.STRONG))
        elif old.fontWeight() > QFont.Weight.Normal:
            made.setFontWeight(QFont.Weight.DemiBold)
        if old.fontItalic():
            made.setFontItalic(True)
        if old.fontStrikeOut():
            made.setFontStrikeOut(True)
        link = safe_link(old.anchorHref()) if old.isAnchor() else ""
        if link:
            made.setAnchor(True)
            made.setAnchorHref(link)
            made.setForeground(theme.colour("accent"))
        elif quote:
            made.setForeground(theme.colour("mute"))
        return made

    def _highlight(self, first: QTextBlock, last: QTextBlock, language: str, code: str) -> None:
        if not language:
            return
        base = first.position()
        for start, length, token in self._highlighter.spans(language, code):
            self._cursor.setPosition(base + start)
            self._cursor.setPosition(base + start + length, QTextCursor.MoveMode.KeepAnchor)
            colour = QTextCharFormat()
            colour.setForeground(self._theme.colour(token))
            self._cursor.mergeCharFormat(colour)


def is_code(block: QTextBlock) -> bool:
    """Whether a block is a line of a code block."""
    made = block.blockFormat()
    return made.hasProperty(QTextFormat.Property.BlockCodeFence) or made.hasProperty(
        QTextFormat.Property.BlockCodeLanguage
    )


def quote_level(block: QTextBlock) -> int:
    """How deep a block is quoted."""
    return block.blockFormat().intProperty(QTextFormat.Property.BlockQuoteLevel)


def _each_code_run(
    document: QTextDocument, visit: Callable[[QTextBlock, QTextBlock, str, str], None]
) -> None:
    """Call `visit(first block, last block, language, text)` for each run of code lines."""
    block = document.begin()
    while block.isValid():
        if not is_code(block):
            block = block.next()
            continue
        first = last = block
        lines = [block.text()]
        while last.next().isValid() and is_code(last.next()):
            last = last.next()
            lines.append(last.text())
        language = first.blockFormat().stringProperty(QTextFormat.Property.BlockCodeLanguage)
        visit(first, last, language, "\n".join(lines))
        block = last.next()


def lay_out(body: Body, width: int) -> None:
    """Lay a body out for `width` and find the boxes that are painted below its text."""
    document = body.document
    document.setTextWidth(width)
    layout = document.documentLayout()
    body.width = width
    body.lead = _CODE_PAD + 5 if is_code(document.begin()) else 0  # Qt drops its margin
    body.height = round(layout.documentSize().height() + 0.49)
    body.code_blocks.clear()
    body.inline_code.clear()
    body.quotes.clear()

    def code_run(first: QTextBlock, last: QTextBlock, language: str, text: str) -> None:
        top = layout.blockBoundingRect(first).top() - _CODE_PAD
        bottom = layout.blockBoundingRect(last).bottom() + _CODE_PAD
        body.height = max(body.height, round(bottom) + 2)
        box = QRectF(0.5, round(top) + 0.5, width - 1, round(bottom - top) - 1)
        line = first.layout().lineAt(0)
        room = width - line.x() - line.naturalTextWidth() - _CODE_PAD
        named = language if room > _LANGUAGE_CHARACTER * (len(language) + 2) else ""
        body.code_blocks.append(CodeBlock(box, named, text))

    _each_code_run(document, code_run)
    block = document.begin()
    while block.isValid():
        if quote_level(block):
            box = layout.blockBoundingRect(block)
            top = round(box.top()) + 1
            if body.quotes and quote_level(block.previous()):
                top = round(body.quotes.pop().top())
            body.quotes.append(QRectF(0, top, 3, round(box.bottom()) + 2 - top))
        elif not is_code(block):
            _inline_code(body, block)
        block = block.next()
    _last_line(body)


def _inline_code(body: Body, block: QTextBlock) -> None:
    """Add the boxes of a block's `code` words, one for each line they touch."""
    inner = block.layout()
    origin = body.document.documentLayout().blockBoundingRect(block).topLeft()
    walk = block.begin()
    while not walk.atEnd():
        piece = walk.fragment()
        walk += 1
        if not piece.charFormat().fontFixedPitch():
            continue
        start = piece.position() - block.position()
        end = start + piece.length()
        for number in range(inner.lineCount()):
            line = inner.lineAt(number)
            first = max(start, line.textStart())
            last = min(end, line.textStart() + line.textLength())
            if first >= last:
                continue
            edges = _edges(block, line, first, last)
            y = origin.y() + line.y()
            if body.inline_code and start > 0 and _touches(body.inline_code[-1], origin, edges, y):
                edges[0] = body.inline_code.pop().left() + 4 - origin.x()
            box = QRectF(
                origin.x() + edges[0] - 4, y + 1.5, edges[1] - edges[0] + 4, LINE_HEIGHT - 2
            )
            body.inline_code.append(box)


def _edges(block: QTextBlock, line: QTextLine, first: int, last: int) -> list[float]:
    """Left and right end of some characters of a line."""
    if block.textDirection() == Qt.LayoutDirection.RightToLeft:
        boxes = [run.boundingRect() for run in line.glyphRuns(first, last - first)]
        if boxes:  # (a cursor between two directions has two places)
            return [min(box.left() for box in boxes), max(box.right() for box in boxes) + 4]
    return sorted((_x(line.cursorToX(first)), _x(line.cursorToX(last))))


def _touches(box: QRectF, origin: QPointF, edges: list[float], y: float) -> bool:
    """Whether a box ends where the next piece of the same word begins."""
    return abs(box.right() - (origin.x() + edges[0])) < 0.5 and abs(box.top() - y - 1.5) < 0.5


def _x(answer: object) -> float:
    """The position in Qt's answer, which is a pair in Python."""
    return float(answer[0]) if isinstance(answer, tuple) else float(answer)  # type: ignore[arg-type]


def _last_line(body: Body) -> None:
    """Where the text ends, so that a mark ("edited") can follow it."""
    block = body.document.lastBlock()
    inner = block.layout()
    body.last_line_is_text = not is_code(block) and inner.lineCount() > 0
    if body.last_line_is_text:
        line = inner.lineAt(inner.lineCount() - 1)
        left = body.document.documentLayout().blockBoundingRect(block).left()
        body.last_line_right = left + line.x() + line.naturalTextWidth()
