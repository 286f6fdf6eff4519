"""Empty libraries in the place of two large encoders that nothing of ours uses (Linux).

The FFmpeg inside PyAV's wheel is linked with x265 and SVT-AV1, 28 MB that only encode HEVC and AV1.
It cannot be loaded without them, so each is replaced by a library of the same name whose functions
all answer “no”: FFmpeg then says that the encoder cannot be opened. Decoders are FFmpeg's own and
dav1d. What FFmpeg asks of them is read from FFmpeg itself, so a new version needs no new list.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
from pathlib import Path

ANSWERS = {"libx265-": 0, "libSvtAv1Enc-": -1}
"""Start of the file's name, and what its functions answer: no table of functions; an error."""
_RETURN = {
    "x86_64": "mov ${answer}, %eax\n cltq\n ret\n",
    "aarch64": "mov x0, #{answer}\n ret\n",
}


def hollow_out(folder: Path) -> list[Path]:
    """Replace those libraries in `folder` (``av.libs``) and return their paths.

    Elsewhere than on the processors whose words are known here they stay as they are. Raises
    RuntimeError if one is not there: then PyAV's wheel changed and this must be looked at.
    """
    returning = _RETURN.get(platform.machine())
    if returning is None:
        return []
    done = []
    for start, answer in ANSWERS.items():
        found = sorted(folder.glob(f"{start}*.so*"))
        if len(found) != 1:
            raise RuntimeError(f"{len(found)} libraries {start}* in {folder}, not one")
        _replace(found[0], _asked(folder, found[0]), returning.format(answer=answer))
        done.append(found[0])
    return done


def _asked(folder: Path, library: Path) -> list[str]:
    """The functions of `library` that the others in `folder` ask for."""
    offered = _symbols(library, "--defined-only")
    wanted: set[str] = set()
    for other in sorted(folder.glob("*.so*")):
        if other != library:
            wanted |= _symbols(other, "--undefined-only")
    return sorted(offered & wanted)


def _symbols(library: Path, which: str) -> set[str]:
    lines = subprocess.run(
        ["nm", "-D", "--no-demangle", which, library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return {line.split()[-1].partition("@")[0] for line in lines if line}


def _replace(library: Path, names: list[str], returning: str) -> None:
    if not names or not all(re.fullmatch(r"\w+", name) for name in names):
        raise RuntimeError(f"what is asked of {library.name} is strange: {names[:5]}")
    source = '.section .note.GNU-stack,"",%progbits\n.text\n' + "".join(
        f".globl {name}\n.type {name}, %function\n{name}:\n {returning}" for name in names
    )
    with tempfile.TemporaryDirectory() as place:
        assembly, object_ = Path(place, "hollow.s"), Path(place, "hollow.o")
        assembly.write_text(source, encoding="ascii")
        subprocess.run(["as", "-o", object_, assembly], check=True)
        library.unlink()
        subprocess.run(
            ["ld", "-shared", "-z", "noexecstack", "-soname", library.name, "-o", library, object_],
            check=True,
        )
    library.chmod(0o755)
