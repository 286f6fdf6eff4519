"""`smoke.py COMMAND…`: start an artefact as a person does and see whether anything is wrong.

Runs `COMMAND --version`, `COMMAND --selftest`, then the window for some seconds on a display of its
own, closed as the system closes it. Fails on a wrong exit status, a capability that the self-test
misses, a window that does not come or does not go, and on any line on stderr that
`stderr-allowed.txt` does not allow. Exit status: 0 all is well, 1 not, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ALLOWED = Path(__file__).with_name("stderr-allowed.txt")
ANSWER_S = 180.0
"""A first start from a cold disk, under an emulator or beside a virus scanner, takes long."""
END_S = 20.0
LINUX = sys.platform.startswith("linux")
Environment = dict[str, str]


def allowed_lines(path: Path = ALLOWED) -> list[re.Pattern[str]]:
    """The expressions of the allow-list. Raises ValueError for one without a reason before it."""
    allowed, reasoned = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            reasoned = True
        elif not line.strip():
            reasoned = False
        elif not reasoned:
            raise ValueError(f"{path.name}: no reason stands before {line!r}")
        else:
            allowed.append(re.compile(line))
            reasoned = False
    return allowed


def foreign_lines(stderr: str, allowed: Sequence[re.Pattern[str]]) -> list[str]:
    """The lines of `stderr` that are not empty and that nothing allows."""
    return [
        line
        for line in stderr.splitlines()
        if line.strip() and not any(each.fullmatch(line.strip()) for each in allowed)
    ]


def check_version(command: Sequence[str], environment: Environment) -> tuple[list[str], str]:
    """What is wrong with `--version`, and its stderr."""
    done = _run([*command, "--version"], environment)
    faults = []
    if done.returncode != 0:
        faults.append(f"--version ended with {done.returncode}")
    if not re.match(r"folkmoot \d+\.\d+", done.stdout):
        faults.append(f"--version printed {done.stdout[:100]!r}")
    return faults, done.stderr


def check_selftest(command: Sequence[str], environment: Environment) -> tuple[list[str], str]:
    """What the self-test misses, and its stderr."""
    done = _run([*command, "--selftest"], environment)
    try:
        said = json.loads(done.stdout)
        checks = [(str(c["name"]), bool(c["ok"]), str(c["what"])) for c in said["checks"]]
        ok = said["ok"] is True
    except (ValueError, KeyError, TypeError):
        return [f"--selftest ({done.returncode}) printed {done.stdout[:200]!r}"], done.stderr
    faults = [f"--selftest: {name}: {what}" for name, fine, what in checks if not fine]
    if not checks:
        faults.append("--selftest checked nothing")
    if (done.returncode == 0) != ok or (not ok and not faults):
        faults.append(f"--selftest ended with {done.returncode} and said ok: {ok}")
    return faults, done.stderr


def check_window(
    command: Sequence[str], environment: Environment, seconds: float = 5.0
) -> tuple[list[str], str]:
    """What is wrong with the window, and its stderr."""
    with tempfile.TemporaryDirectory(prefix="folkmoot-smoke-") as folder:
        log = Path(folder, "stderr")
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, "--profile", str(Path(folder, "profile"))],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
            try:
                faults = _watch(process, Path(folder, "profile"), seconds)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        return faults, log.read_text(encoding="utf-8", errors="replace")


def _watch(process: subprocess.Popen[bytes], profile: Path, seconds: float) -> list[str]:
    """Wait until the window works, let it be for `seconds`, close it."""
    until = time.monotonic() + ANSWER_S
    # The log begins after the first frame, when the node is started.
    while not any(profile.glob("**/*.log")):
        if process.poll() is not None:
            return [f"the window ended by itself with {process.returncode}"]
        if time.monotonic() > until:
            return ["the window did not come"]
        time.sleep(0.1)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return [f"the window ended by itself with {process.wait(seconds)}"]
    _close(process)
    try:
        status = process.wait(END_S)
    except subprocess.TimeoutExpired:
        return [f"the window did not close within {END_S:.0f} seconds"]
    return [f"the window ended with {status} when it was closed"] if status != 0 else []


def _close(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":  # without /F this closes the windows of the process
        subprocess.run(["taskkill", "/PID", str(process.pid)], check=True, capture_output=True)
    else:
        process.send_signal(signal.SIGTERM)


def _run(command: Sequence[str], environment: Environment) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=ANSWER_S,
        check=False,
    )


@contextlib.contextmanager
def surroundings() -> Iterator[Environment]:
    """The environment of a person who never had Folkmoot; on Linux with an empty display."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-smoke-")))
        left_out = ("QT_", "QML", "PYTHON", "LD_LIBRARY_PATH", "XDG_", "WAYLAND_DISPLAY")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        if LINUX:
            (home / "run").mkdir(mode=0o700)
            # Qt complains of a locale that is not UTF-8; no desktop has one.
            environment |= {"HOME": str(home), "LC_ALL": "C.UTF-8"}
            environment["XDG_RUNTIME_DIR"] = str(home / "run")
            environment["DISPLAY"] = stack.enter_context(_display())
        yield environment


@contextlib.contextmanager
def _display() -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24"]
    # Without -noreset it refuses connections for a moment whenever the last window is gone.
    command += ["-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        os.close(writing)
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


CHECKS: dict[str, Callable[[Sequence[str], Environment], tuple[list[str], str]]] = {
    "version": check_version,
    "self-test": check_selftest,
    "window": check_window,
}


def smoke(command: Sequence[str], checks: Sequence[str] = tuple(CHECKS)) -> list[str]:
    """Everything that is wrong with `command`, a sentence each; empty if all is well."""
    allowed, faults = allowed_lines(), []
    with surroundings() as environment:
        for name in checks:
            try:
                found, stderr = CHECKS[name](command, environment)
            except (OSError, subprocess.SubprocessError) as error:
                found, stderr = [f"{name}: {error}"], ""
            faults += found
            faults += [f"{name}: stderr: {line}" for line in foreign_lines(stderr, allowed)]
    return faults


def main(arguments: Sequence[str]) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="smoke.py", description=__doc__.split("\n")[0])
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    command = parser.parse_args(arguments).command
    if not command:
        parser.error("no command")
    faults = smoke(command)
    for fault in faults:
        print(f"smoke: {fault}", file=sys.stderr)
    print(f"smoke: {' '.join(command)}: {'FAILED' if faults else 'ok'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
