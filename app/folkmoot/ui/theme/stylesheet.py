"""The one style sheet: scroll bars, menus, tool tips, choices and text fields, nothing else.

Everything that can be painted is painted (`widgets`): a large sheet costs tens of milliseconds at
each switch. Our own object properties are never matched here.
"""

from __future__ import annotations

from folkmoot.resources import resource_path
from folkmoot.ui.theme.tokens import Tokens

_SHEET = """
QToolTip {{ background: {ink}; color: {panel}; border: 0; padding: 4px 8px; }}
QMenu {{ background: {panel}; color: {ink}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 10px; border-radius: 6px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::item:selected {{ background: {accent_soft}; color: {ink}; }}
QMenu::item:disabled {{ color: {faint}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 6px; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; border: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; border: 0; }}
QScrollBar::handle {{ background: {thumb}; border-radius: 4px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover, QScrollBar::handle:pressed {{ background: {edge}; }}
QScrollBar::handle:disabled {{ background: transparent; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QLineEdit, QPlainTextEdit {{
    background: {panel}; color: {ink}; border: 1px solid {edge}; border-radius: 8px;
    padding: 0 11px; selection-background-color: {selection}; selection-color: {ink};
}}
QPlainTextEdit {{ padding: 8px 7px; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {accent}; }}
QLineEdit:disabled, QPlainTextEdit:disabled {{ color: {faint}; border-color: {line}; }}
QLineEdit[frame="false"], QPlainTextEdit[bare="true"] {{
    background: transparent; border: 0; padding: 0;
}}
QComboBox QAbstractItemView {{
    background: {panel}; color: {ink}; border: 1px solid {line}; padding: 4px; outline: 0;
}}
QComboBox QAbstractItemView::item {{ padding: 6px 8px; border-radius: 6px; }}
QComboBox QAbstractItemView::item:selected {{ background: {accent_soft}; color: {ink}; }}
QCheckBox, QRadioButton {{ spacing: 8px; color: {ink}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {faint}; }}
QCheckBox::indicator, QRadioButton::indicator, QListView::indicator {{
    width: 14px; height: 14px; border: 1px solid {edge}; border-radius: 4px; background: {panel};
}}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {accent}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {accent}; }}
QCheckBox::indicator:checked, QListView::indicator:checked {{
    background: {accent}; border-color: {accent}; image: url({check});
}}
QRadioButton::indicator:checked {{
    width: 6px; height: 6px; border: 5px solid {accent}; background: {accent_ink};
}}
"""


def build(tokens: Tokens) -> str:
    """The style sheet for one table of tokens."""
    return _SHEET.format(
        ink=tokens.ink,
        panel=tokens.panel,
        line=tokens.line,
        edge=tokens.edge,
        faint=tokens.faint,
        accent=tokens.accent,
        accent_soft=tokens.accent_soft,
        accent_ink=tokens.accent_ink,
        selection=tokens.selection,
        check=resource_path(f"app/check-{_shade(tokens.accent_ink)}.svg").as_posix(),
        thumb=_mix(tokens.edge, tokens.panel, 0.45),
    )


def _shade(ink: str) -> str:
    """Which picture of a tick is drawn in this ink."""
    return "light" if int(ink[1:3], 16) > 127 else "dark"


def _mix(first: str, second: str, share: float) -> str:
    """`share` of the first colour over the second, as `#rrggbb`."""
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
