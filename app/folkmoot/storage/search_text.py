"""How text is cut into words for the full-text index, and a query alike.

SQLite's ``unicode61`` takes a run of Chinese, Japanese or Thai for one word, so that a word inside
is never found. Such runs are cut into overlapping pairs here, in what is stored and in what is
asked; everything else is left to the tokenizer.
"""

from __future__ import annotations

import re

# Written without spaces: Thai, Lao, Myanmar, Khmer, kana, bopomofo, Han with its extensions.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1980-\u19df\u3005-\u3007\u3040-\u312f"
    r"\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    r"\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]+")


def searchable(text: str) -> str:
    """`text` with every run of an unspaced script as its pairs of letters (one letter: itself)."""
    return text if text.isascii() else _RUN.sub(_pairs, text)


def _pairs(match: re.Match[str]) -> str:
    run = match.group()
    if len(run) == 1:
        return f" {run} "
    return f" {' '.join(run[at : at + 2] for at in range(len(run) - 1))} "
