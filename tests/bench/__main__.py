"""`python -m bench [NAME…]`: run benchmarks, each in a process of its own, and print a table.

Lines of JSON are appended to the file that the environment variable BENCH_JSON names. A missed
target is shown, not an error; a benchmark that fails is (exit status 1).
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.measurement import Measurement

_PREFIX = "bench_"


def find_benchmarks() -> list[str]:
    """Return the names that may be given, in alphabetical order."""
    here = Path(__file__).parent
    return sorted(path.stem.removeprefix(_PREFIX) for path in here.glob(f"{_PREFIX}*.py"))


def run_one(name: str) -> None:
    """Run one benchmark in this process and write its rows."""
    measured: Iterable[Measurement] = importlib.import_module(f"bench.{_PREFIX}{name}").measure()
    target = os.environ.get("BENCH_JSON")
    for each in measured:
        print(each.to_row(), flush=True)
        if target:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(each.to_json() + "\n")


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all."""
    known = find_benchmarks()
    if len(arguments) == 2 and arguments[0] == "--here":
        run_one(arguments[1])
        return 0
    unknown = [name for name in arguments if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = []
    for name in arguments or known:
        done = subprocess.run([sys.executable, "-m", "bench", "--here", name], check=False)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
