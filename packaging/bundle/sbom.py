"""The list of parts as CycloneDX 1.6 JSON: for programs that look for known weaknesses.

Written by hand: two dozen fields need no library in the build. The same parts give the same bytes.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parts import Part, normal

SPEC = "1.6"
_OURS = "folkmoot"


def lock_hashes(lock: str) -> dict[tuple[str, str], list[str]]:
    """SHA-256 of the files that the lock allows for each package and version."""
    found: dict[tuple[str, str], list[str]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", lock):
        pin = re.match(r"([a-z0-9-]+)==([^ ]+)", block)
        if pin:
            found[pin[1], pin[2]] = re.findall(r"--hash=sha256:([0-9a-f]{64})", block)
    return found


def sbom(
    parts: Sequence[Part],
    hashes: Mapping[tuple[str, str], Sequence[str]],
    *,
    version: str,
    built: int,
) -> str:
    """The document; `built`: seconds since 1970. Raises KeyError for what is not locked."""
    components = [_component(part, hashes) for part in parts]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(components))),
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(built, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": _OURS,
                "name": _OURS,
                "version": version,
                "licenses": [{"expression": "GPL-3.0-or-later"}],
            },
        },
        "components": components,
        "dependencies": [{"ref": _OURS, "dependsOn": sorted(c["bom-ref"] for c in components)}],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _component(part: Part, hashes: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": {"resource": "data"}.get(part.kind, "library"),
        "bom-ref": f"{part.kind}:{part.name}",
        "name": part.name,
        "licenses": [{"expression": part.licence}],
        "copyright": "\n".join(part.copyrights),
    }
    if part.version:
        found["version"] = part.version
    if part.kind == "package":
        name = normal(part.name)
        found["purl"] = f"pkg:pypi/{name}@{part.version}"
        # The lock allows a file for each system; which was taken, the installer does not keep.
        found["properties"] = [
            {"name": "folkmoot:locked:sha256", "value": each} for each in hashes[name, part.version]
        ]
    if part.files:
        found["evidence"] = {"occurrences": [{"location": each} for each in part.files]}
    return found


def write(parts: Sequence[Part], lock: Path, target: Path, *, version: str, built: int) -> None:
    """Write the document to `target`."""
    hashes = lock_hashes(lock.read_text(encoding="utf-8"))
    target.write_text(sbom(parts, hashes, version=version, built=built), "utf-8", newline="\n")
