"""Whose work is in the bundle: every package, every library, every font, with licence and text.

Read from what was collected: the names of files and modules in it, the metadata of the packages
installed, and `parts.toml` for what they leave out. Refuses to guess: a library that nothing names
and a package without licence, copyright or text raise `Unlicensed`, which fails the build.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RUNNING = ("pyinstaller", "pyinstaller-hooks-contrib")
"""Of these only the start of the program is in the bundle: no module tells of them."""
_LIBRARY = re.compile(r"\.so(\.|$)|\.dll$|\.dylib$|\.pyd$")
_COPYRIGHT = re.compile(r"^\W*(?:copyright\b|©|\(c\)).*\d{4}.*", re.IGNORECASE)
_MOST_COPYRIGHTS = 12


class Unlicensed(Exception):
    """Something is in the bundle whose licence is not known."""


@dataclass(frozen=True)
class Part:
    """One work. `kind`: ``package``, ``library`` or ``resource``; `files`: patterns in the bundle.

    `texts` are what must be handed on with it; empty where the licence's own text says it all.
    """

    kind: str
    name: str
    version: str
    licence: str
    copyrights: tuple[str, ...]
    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def normal(name: str) -> str:
    """The name of a package as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_table(path: Path = HERE / "parts.toml") -> dict[str, Any]:
    """What `parts.toml` says."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def shipped(modules: Collection[str], names: Iterable[str]) -> list[Distribution]:
    """The installed packages of which a module or a file is in the bundle, by name."""
    tops = {module.partition(".")[0] for module in modules}
    tops |= {re.split(r"[/.]", name)[0] for name in names}
    found = {}
    for each in distributions():
        roots = {re.split(r"[/.]", str(file))[0] for file in each.files or () if _is_code(file)}
        if roots & tops or normal(each.name) in RUNNING:
            found[normal(each.name)] = each
    return [found[name] for name in sorted(found)]


def _is_code(file: PackagePath) -> bool:
    return file.suffix in (".py", ".so", ".pyd") and ".." not in file.parts


def packages(found: Iterable[Distribution], table: dict[str, Any]) -> list[Part]:
    """A part for each package. Raises `Unlicensed`."""
    said = table.get("distribution", {})
    return [_package(each, said.get(normal(each.name), {}), table["words"]) for each in found]


def _package(found: Distribution, said: dict[str, str], words: dict[str, str]) -> Part:
    metadata: Any = found.metadata
    licence = said.get("licence") or metadata.get("License-Expression")
    stated = (metadata.get("License") or "").strip()
    licence = licence or words.get(stated) or (stated if _is_spdx(stated) else None)
    if not licence:
        raise Unlicensed(
            f"{found.name}: no licence in its metadata ({stated[:60]!r}) or parts.toml"
        )
    texts = tuple(_own_texts(found, said))
    if not texts:
        raise Unlicensed(f"{found.name}: no text of its licence")
    copyrights = (said["copyright"],) if "copyright" in said else _copyrights(texts, metadata)
    if not copyrights:
        raise Unlicensed(f"{found.name}: no copyright in its texts, and no author")
    return Part("package", found.name, found.version, licence, copyrights, texts=texts)


def _is_spdx(words: str) -> bool:
    return bool(re.fullmatch(r"[A-Z][A-Za-z]*-?[\w.]*-?\w*", words)) and len(words) < 25


def _own_texts(found: Distribution, said: dict[str, str]) -> Iterable[str]:
    if "text" in said:
        here = HERE / "texts" / f"{said['text']}.txt"
        yield (here if here.exists() else Path(str(found.locate_file(said["text"])))).read_text(
            encoding="utf-8"
        )
        return
    for file in sorted(found.files or (), key=str):
        parts = str(file).partition(".dist-info/")[2]
        if not parts or "_vendor" in str(file) or file.suffix in (".py", ".pyc"):
            continue
        if re.search(r"licen[cs]e|copying|notice", parts.rpartition("/")[2], re.IGNORECASE):
            yield Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")


def _copyrights(texts: Iterable[str], metadata: Any) -> tuple[str, ...]:
    lines = [line.strip(" *#\t") for text in texts for line in text.splitlines()]
    found = dict.fromkeys(line for line in lines if _COPYRIGHT.match(line) and "[yyyy]" not in line)
    if not found:
        author = (
            metadata.get("Author") or metadata.get("Author-email") or metadata.get("Maintainer")
        )
        found = dict.fromkeys([author.strip()] if author else [])
    return tuple(found)[:_MOST_COPYRIGHTS]


def libraries(names: Iterable[str], table: dict[str, Any]) -> list[Part]:
    """A part for each library of which a file of `names` is. Raises `Unlicensed`.

    Modules of packages count as those; a library stands at the top or in a folder for libraries.
    """
    natives = [name for name in names if _is_library(name)]
    found, unknown = [], set(natives)
    for each in table["library"]:
        own = {name for name in unknown if _is_named(name, each["files"])}
        if own:
            unknown -= own
            files = tuple(sorted(own))
            found.append(_stated("library", each, files))
    if unknown:
        raise Unlicensed(f"parts.toml does not name {', '.join(sorted(unknown))}")
    return found


def _is_named(name: str, patterns: Iterable[str]) -> bool:
    """Without regard to case: Windows writes the names of its own libraries in capitals."""
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _is_library(name: str) -> bool:
    if not _LIBRARY.search(name):
        return False
    inside_qt = name.startswith("PySide6/") and not re.match(
        r"PySide6/(Qt\w+\.\w|lib?pyside)", name
    )
    if "/" not in name and re.search(r"\.(cpython-\d+|abi3)\b", name):
        return False
    return "/" not in name or inside_qt or bool(re.search(r"\.(libs|dylibs)/|lib-dynload", name))


def inside(found: Collection[Part], table: dict[str, Any]) -> list[Part]:
    """Parts that are linked into modules of the packages `found`."""
    names = {normal(part.name) for part in found}
    return [_stated("library", each, ()) for each in table["inside"] if each["of"] in names]


def resources(root: Path, table: dict[str, Any]) -> list[Part]:
    """Parts of the folder `root` of resources. Raises `Unlicensed` for a missing text."""
    found = []
    for each in table["resource"]:
        text = root / each["text"]
        if not text.exists():
            raise Unlicensed(f"{each['name']}: {text.name} is missing")
        words = text.read_text(encoding="utf-8")
        found.append(
            Part(
                *("resource", each["name"], "", each["licence"], _copyrights([words], {})),
                files=tuple(each["files"]),
                texts=(words,),
            )
        )
    return found


def _stated(kind: str, said: dict[str, Any], files: tuple[str, ...]) -> Part:
    copyrights = (str(said["copyright"]),)
    return Part(kind, said["name"], said.get("version", ""), said["licence"], copyrights, files)
