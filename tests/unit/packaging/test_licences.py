"""Every part has a licence and a text, and the documents say so."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import licences
import parts
import pytest
import sbom
from parts import Part, Unlicensed

_TOP = Path(__file__).parents[3]
_MIT = "Copyright (c) 2020 Somebody\n\nPermission is granted to all.\n"
_TABLE: dict[str, Any] = {
    "words": {"The Nice One": "MIT"},
    "distribution": {},
    "library": [
        {"name": "vpx", "files": ["av.libs/libvpx*"], "licence": "BSD-3-Clause", "copyright": "W"}
    ],
}
_VPX = Part("library", "vpx", "", "BSD-3-Clause", ("The WebM authors",), ("av.libs/libvpx-1.so",))


def _installed(folder: Path, metadata: str, licence: str | None = _MIT) -> Distribution:
    info = folder / "nice-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: nice\nVersion: 1.0\n{metadata}")
    record = "nice/__init__.py,,\n"
    if licence is not None:
        (info / "LICENSE").write_text(licence)
        record += "nice-1.0.dist-info/LICENSE,,\n"
    (info / "RECORD").write_text(record)
    return Distribution.at(info)


@pytest.mark.parametrize(
    "said", ["License-Expression: MIT", "License: MIT", "License: The Nice One"]
)
def test_a_package_says_its_licence(tmp_path: Path, said: str) -> None:
    (found,) = parts.packages([_installed(tmp_path, f"{said}\n")], _TABLE)
    assert (found.licence, found.version) == ("MIT", "1.0")
    assert found.copyrights == ("Copyright (c) 2020 Somebody",)
    assert found.texts == (_MIT,)


@pytest.mark.parametrize(
    ("metadata", "text", "fault"),
    [
        ("", _MIT, "no licence"),
        ("License: some words that mean nothing to a program\n", _MIT, "no licence"),
        ("License: MIT\n", None, "no text"),
        ("License: MIT\n", "Do what you like.\n", "no copyright"),
    ],
)
def test_what_is_missing_fails_the_build(
    tmp_path: Path, metadata: str, text: str | None, fault: str
) -> None:
    with pytest.raises(Unlicensed, match=fault):
        parts.packages([_installed(tmp_path, metadata, text)], _TABLE)


def test_a_library_that_nothing_names_fails_the_build() -> None:
    names = ["av.libs/libvpx-1.so", "av/frame.abi3.so", "folkmoot/_resources/words/english.txt"]
    (found,) = parts.libraries(names, _TABLE)
    assert found.files == ("av.libs/libvpx-1.so",)
    with pytest.raises(Unlicensed, match=r"libnew\.so"):
        parts.libraries([*names, "av.libs/libnew.so"], _TABLE)


def test_the_resources_of_this_tree_have_their_texts() -> None:
    found = parts.resources(_TOP / "resources", parts.read_table())
    assert {part.licence for part in found} == {"OFL-1.1", "ISC", "MIT"}
    assert all(part.copyrights for part in found)


def test_every_licence_of_the_table_has_a_text() -> None:
    table = parts.read_table()
    stated = [*table["library"], *table["inside"]]
    licences.common_texts(
        [Part("library", s["name"], "", s["licence"], (s["copyright"],)) for s in stated]
    )
    strange = Part("library", "x", "", "Strange-1.0", ("somebody",))
    with pytest.raises(Unlicensed, match=r"Strange-1\.0"):
        licences.common_texts([strange])


def test_the_copyright_file_says_everything_in_the_form_of_debian(tmp_path: Path) -> None:
    long = Part("package", "Long.Name", "2", "Apache-2.0", ("© 2020 L",), texts=("x\n" * 9_000,))
    short = Part("package", "nice", "1.0", "MIT OR (ISC AND Zlib)", ("Somebody",), texts=(_MIT,))
    licences.write([long, short, _VPX], _TOP / "LICENSE", tmp_path)
    text = (tmp_path / "copyright").read_text()
    assert text.startswith("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/")
    assert "License: MIT or ISC and Zlib\n Copyright (c) 2020 Somebody\n .\n Permission" in text
    assert (
        "Files: */av.libs/libvpx-1.so\nCopyright: The WebM authors\nLicense: BSD-3-Clause" in text
    )
    assert "The text is in the file licences/long-name.txt." in text
    assert {path.name for path in (tmp_path / "licences").iterdir()} == {
        *("long-name.txt", "GPL-3.0.txt", "BSD-3-Clause.txt"),
    }
    for stanza in text.split("\n\n"):
        assert stanza.startswith(("Format:", "Files:", "License:")), stanza[:80]


def test_the_list_of_parts_names_each_with_the_hashes_of_the_lock() -> None:
    lock = "nice==1.0 \\\n    --hash=sha256:" + "a" * 64 + " \\\n    --hash=sha256:" + "b" * 64
    nice = Part("package", "Nice", "1.0", "MIT", ("Somebody",), texts=(_MIT,))
    hashes = sbom.lock_hashes(lock)
    said = sbom.sbom([nice, _VPX], hashes, version="0.1.0", built=0)
    assert said == sbom.sbom([nice, _VPX], hashes, version="0.1.0", built=0)
    document = json.loads(said)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    package, library = document["components"]
    assert package["purl"] == "pkg:pypi/nice@1.0"
    assert [each["value"] for each in package["properties"]] == ["a" * 64, "b" * 64]
    assert library["evidence"]["occurrences"] == [{"location": "av.libs/libvpx-1.so"}]
    with pytest.raises(KeyError):
        sbom.sbom([nice], {}, version="0.1.0", built=0)
