"""The copyright file of the bundle and the texts beside it, from the parts that are in it.

The form is Debian's machine-readable one (DEP 5). Long texts become files of their own in the
folder `licences`, which is in the bundle too; the copyright file names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from parts import HERE, Part, Unlicensed, normal

LONG_CHARS = 6_000
_ON_DEBIAN = {
    "GPL-2.0": "GPL-2",
    "GPL-3.0": "GPL-3",
    "LGPL-2.0": "LGPL-2",
    "LGPL-2.1": "LGPL-2.1",
    "LGPL-3.0": "LGPL-3",
    "Apache-2.0": "Apache-2.0",
    "MPL-2.0": "MPL-2.0",
}
"""Texts that every Debian system has in /usr/share/common-licenses."""
_HEAD = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Folkmoot
Comment: The program carries what it needs. As a whole it may be passed on under
 the GPL, version 3 or later: the codecs in it do not allow less. Each part keeps
 its own licence. Longer texts are in the folder “licences” of the program.

Files: *
Copyright: the Folkmoot contributors
License: GPL-3.0-or-later
"""


def write(parts: Sequence[Part], own_licence: Path, folder: Path) -> None:
    """Write `copyright` and `licences/` into `folder`. Raises `Unlicensed` for a text it lacks."""
    texts = folder / "licences"
    texts.mkdir(parents=True, exist_ok=True)
    for old in texts.iterdir():
        old.unlink()
    (texts / "GPL-3.0.txt").write_text(own_licence.read_text("utf-8"), "utf-8", newline="\n")
    for name, text in common_texts(parts).items():
        (texts / f"{name}.txt").write_text(text, "utf-8", newline="\n")
    for name, text in long_texts(parts).items():
        (texts / name).write_text(text, "utf-8", newline="\n")
    (folder / "copyright").write_text(copyright_file(parts), "utf-8", newline="\n")


def copyright_file(parts: Sequence[Part]) -> str:
    """The text in the form of DEP 5."""
    stanzas = [_HEAD]
    stanzas += [_stanza(part) for part in parts]
    stanzas += list(_common_stanzas(parts))
    return "\n".join(stanzas)


def _stanza(part: Part) -> str:
    if part.files:
        files = "\n ".join(f"*/{name}" for name in part.files)
    else:
        files = f"*/{normal(part.name).replace('-', '_')}*"
    version = f" {part.version}" if part.version else ""
    lines = [
        f"Files: {files}",
        "Copyright: " + "\n ".join(_one_line(each) for each in part.copyrights),
        f"License: {dep5(part.licence)}",
        *(_indented(text) for text in _said(part)),
        f"Comment: {part.name}{version}",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def dep5(expression: str) -> str:
    """An SPDX expression as DEP 5 writes it."""
    words = re.sub(r"\s+WITH\s+(\S+)", r" with \1 exception", expression)
    words = words.replace(" AND ", " and ").replace(" OR ", " or ")
    return words.replace("(", "").replace(")", "")


def _said(part: Part) -> Iterator[str]:
    """The texts of a part that stand in the copyright file itself."""
    for text, name in _named_texts(part):
        yield text.strip() if name is None else f"The text is in the file licences/{name}."


def _named_texts(part: Part) -> Iterator[tuple[str, str | None]]:
    for number, text in enumerate(part.texts):
        ending = f"-{number + 1}" if len(part.texts) > 1 else ""
        yield text, f"{normal(part.name)}{ending}.txt" if len(text) > LONG_CHARS else None


def long_texts(parts: Iterable[Part]) -> dict[str, str]:
    """The texts that become files: file name and text."""
    named = ((name, text) for part in parts for text, name in _named_texts(part))
    return {re.sub(r"[^\w.-]", "", name): text for name, text in named if name is not None}


def common_texts(parts: Iterable[Part]) -> dict[str, str]:
    """The texts of all licences of parts without a text of their own. Raises `Unlicensed`."""
    return {name: _text(name) for name in sorted(_names(parts)) if name != "GPL-3.0"}


def _names(parts: Iterable[Part]) -> set[str]:
    """Names of licences and exceptions, without “or later”, where a part brings no text."""
    found = set()
    for part in parts:
        if not part.texts:
            for word in re.findall(r"[\w.+-]+", part.licence):
                if word not in ("AND", "OR", "WITH") and not word.startswith("LicenseRef-"):
                    found.add(re.sub(r"-(only|or-later)$", "", word))
    return found


def _text(name: str) -> str:
    path = HERE / "texts" / f"{name}.txt"
    if not path.exists():
        raise Unlicensed(f"packaging/bundle/texts has no {path.name}")
    return path.read_text(encoding="utf-8")


def _common_stanzas(parts: Sequence[Part]) -> Iterator[str]:
    stated = {"GPL-3.0-or-later"} | {dep5(p.licence) for p in parts if not p.texts}
    for name in sorted(stated):
        plain = sorted({re.sub(r"-(only|or-later)$", "", w) for w in re.findall(r"[\w.+-]+", name)})
        files = [w for w in plain if w == "GPL-3.0" or (HERE / "texts" / f"{w}.txt").exists()]
        where = [f"The text is in the file licences/{w}.txt." for w in files]
        where += [
            f"On Debian systems it is in /usr/share/common-licenses/{_ON_DEBIAN[w]} as well."
            for w in files
            if w in _ON_DEBIAN
        ]
        yield (
            f"License: {name}\n" + _indented("\n".join(where or ["Its terms come with it."])) + "\n"
        )


def _indented(text: str) -> str:
    lines = (line.rstrip().replace("\t", "    ") for line in text.splitlines())
    return "\n".join(f" {line}" if line else " ." for line in lines)


def _one_line(text: str) -> str:
    return (
        re.sub(r"^(copyright\s*)?((\(c\)|©)\s*)?", "", " ".join(text.split()), flags=re.I) or text
    )
