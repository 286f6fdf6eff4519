"""Clean Debian 12 systems in folders: made once by debootstrap, then laid over each other.

Everything is mounted in the mount namespace of `alone.sh`, so that no mount outlives the run, and
lies in one folder, which the next run empties. Where packages come from is what apt on this machine
is set up with.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SUITE = "bookworm"
USER, UID = "ada", 29_071
"""Who uses the installed programs. The number is nobody's on this machine."""
KEEP_BASE_S = 24 * 3600.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}

# What apt and dpkg write about themselves, and caches that they refresh for whatever is installed.
_APTS_OWN = re.compile(
    r"/var/lib/(dpkg|apt)/|/var/log/|/var/cache/(apt|debconf|ldconfig)(/|$)|/etc/ld\.so\.cache$"
)


def run(*command: str | Path, timeout_s: float = 600.0, **options: object) -> str:
    """What a command says; fails with all it said."""
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
    return str(done.stdout)


class Chroot:
    """One system. Its root is writable; what lies below it is not touched."""

    def __init__(self, folder: Path, below: Sequence[Path], fetched: Path) -> None:
        """`fetched`: where apt keeps what it fetched, for all systems and runs."""
        self.root = folder / "root"
        self.layers = (folder / "upper", *below)
        self._inner = ("proc", "sys", "dev", "dev/shm", "dev/pts")
        self._bound: list[Path] = []
        for name in ("root", "upper", "work"):
            (folder / name).mkdir(parents=True)
        layers = f"upperdir={folder / 'upper'},workdir={folder / 'work'}"
        layers += f",lowerdir={':'.join(map(str, below))}"
        run("mount", "-t", "overlay", "-o", layers, "overlay", self.root)
        self._mount_inner()
        self.bind(fetched, "/var/cache/apt/archives")

    def _mount_inner(self) -> None:
        run("mount", "-t", "proc", "proc", self.root / "proc")
        run("mount", "-t", "sysfs", "-o", "ro", "sysfs", self.root / "sys")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "dev", self.root / "dev")
        for name, minor in _DEVICES.items():
            os.mknod(self.root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
            (self.root / "dev" / name).chmod(0o666)
        for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            (self.root / "dev" / name).symlink_to(f"/proc/self/fd{target}")
        for name, kind, options in (
            ("shm", "tmpfs", "mode=1777"),
            ("pts", "devpts", "newinstance,ptmxmode=0666"),
        ):
            (self.root / "dev" / name).mkdir()
            run("mount", "-t", kind, "-o", options, kind, self.root / "dev" / name)
        (self.root / "dev" / "ptmx").symlink_to("pts/ptmx")

    def bind(self, place: Path, at: str = "") -> None:
        """Show a folder of this machine inside, at the same place if no other is named."""
        inside = self.inside(at or place)
        inside.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", place, inside)
        self._bound.append(inside)

    def inside(self, place: str | Path) -> Path:
        """Where an absolute path of the system lies on this machine."""
        return self.root / str(place).lstrip("/")

    def command(
        self,
        *words: str,
        user: str = USER,
        environ: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> list[str]:
        """The command line that runs `words` inside, as after a fresh login; the process is theirs.

        `before` stands outside, as a network namespace does.
        """
        home = "/root" if user == "root" else f"/home/{user}"
        login = {"HOME": home, "USER": user, "PATH": _PATH, "LANG": "C.UTF-8", **(environ or {})}
        variables = [f"{name}={value}" for name, value in login.items()]
        enter = ["chroot", f"--userspec={user}:{user}", str(self.root), "env", "-i", *variables]
        return [*before, *enter, *words]

    def admin(self, *words: str) -> str:
        """Run a command as root and return what it says; fails when it does."""
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        return run(*self.command(*words, user="root", environ=quiet), cwd="/")

    def changes_since(self, before: Mapping[str, str]) -> set[str]:
        """Paths that came, went or changed, but for what apt and dpkg write about themselves."""
        now = self.files()
        changed = {path for path in {*before, *now} if before.get(path) != now.get(path)}
        return {path for path in changed if not _APTS_OWN.match(path)}

    def install(self, package: Path, *options: str) -> str:
        """As an admin does: apt, with what the package declares and nothing more."""
        copied = self.inside("/root") / package.name
        shutil.copy(package, copied)
        words = ("apt-get", "-q", "-y", "install", "--no-install-recommends", *options)
        said = self.admin(*words, f"/root/{package.name}")
        copied.unlink()
        return said

    def files(self) -> dict[str, str]:
        """Everything on the system but what the kernel shows: path to kind, mode and content."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            at = Path(folder)
            folders[:] = [one for one in folders if not os.path.ismount(at / one)]
            for name in (*folders, *files):
                path = at / name
                found["/" + str(path.relative_to(self.root))] = _describe(path)
        return found

    def processes(self) -> dict[int, list[str]]:
        """What runs inside: process id to command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it may just be gone
                if (folder / "root").readlink() == self.root:
                    line = (folder / "cmdline").read_text().split("\0")
                    found[int(folder.name)] = [word for word in line if word]
        return found

    def unmount(self) -> None:
        """Take the mounts away; the layers stay."""
        inner = [self.root / name for name in self._inner]
        for place in (*reversed(self._bound), *reversed(inner), self.root):
            # Lazily: a process that was just killed may hold it for a moment.
            subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def _describe(path: Path) -> str:
    about = path.lstat()
    kind = f"{stat.filemode(about.st_mode)} {about.st_uid}:{about.st_gid}"
    if path.is_symlink():
        return f"{kind} {path.readlink()}"
    return f"{kind} {about.st_size} {about.st_mtime_ns}" if stat.S_ISREG(about.st_mode) else kind


class Systems:
    """The folder of all systems of a run; only one run has it at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AssertionError(f"another run of these tests has {folder}") from None
        self._layers = folder / "layers"
        self._made: list[Chroot] = []
        self._empty()  # what a killed run left
        (folder / "fetched").mkdir(exist_ok=True)
        self._name_user()

    def _name_user(self) -> None:
        """Let this run know the plain user by name, as a session bus outside wants it."""
        known = self._folder / "passwd"
        line = f"{USER}:x:{UID}:{UID}::/nonexistent:/usr/sbin/nologin\n"
        known.write_text(Path("/etc/passwd").read_text() + line)
        run("mount", "--bind", known, "/etc/passwd")

    def base(self) -> Path:
        """The bare system, with apt set up and a plain user; made when it is older than a day."""
        base, stamp = self._folder / "base", self._folder / "base.stamp"
        wanted = "\n".join((*_sources(), *_settings()))
        if (
            base.exists()
            and stamp.exists()
            and stamp.read_text() == wanted
            and time.time() - stamp.stat().st_mtime < KEEP_BASE_S
        ):
            return base
        stamp.unlink(missing_ok=True)
        for folder in (base, self._folder / "base.new"):
            _delete(folder)
        self._make_base(self._folder / "base.new")
        (self._folder / "base.new").rename(base)
        stamp.write_text(wanted)
        return base

    def _make_base(self, folder: Path) -> None:
        sources = _sources()
        assert sources, f"apt on this machine has no source of Debian's {SUITE}"
        mirror = sources[0].split()[1]
        words = ("--variant=minbase", "--merged-usr", SUITE, str(folder), mirror)
        run("debootstrap", *words, timeout_s=1200, env={**os.environ, **_proxies()}, cwd="/")
        etc = folder / "etc"
        (etc / "apt" / "sources.list").write_text("\n".join(sources) + "\n")
        (etc / "apt" / "apt.conf.d" / "90machine").write_text("\n".join(_settings()) + "\n")
        # No daemon starts by itself, and no test waits for the disk.
        (folder / "usr" / "sbin" / "policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (folder / "usr" / "sbin" / "policy-rc.d").chmod(0o755)
        (etc / "dpkg" / "dpkg.cfg.d" / "fast").write_text("force-unsafe-io\n")
        for name in ("resolv.conf", "hosts"):
            shutil.copy(Path("/etc", name), etc / name)
        run("chroot", folder, "useradd", "-m", "-u", str(UID), USER)
        run("chroot", folder, "apt-get", "-q", "update", timeout_s=300)

    def make(self, name: str, *below: Path) -> Chroot:
        """A system of its own over these layers, upper ones first."""
        made = Chroot(self._layers / name, below, self._folder / "fetched")
        self._made.append(made)
        return made

    def close(self) -> None:
        """Unmount and remove everything but the bare system."""
        for made in self._made:
            made.unmount()
        self._empty()
        self._lock.close()

    def _empty(self) -> None:
        assert not _mounts_in(self._layers), f"mounts are left in {self._layers}"
        _delete(self._layers)


def _delete(folder: Path) -> None:
    if folder.exists():
        run("rm", "-rf", "--one-file-system", folder)


def _mounts_in(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if line.split()[1].startswith(f"{folder}/")]


def is_alone() -> bool:
    """Whether `alone.sh` runs this."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return any(line.startswith("folkmoot-packages /run/netns ") for line in lines)


def _sources() -> list[str]:
    """Lines of a sources.list: what apt here knows of this Debian; the main one first."""
    told = run(
        *("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)"),
        *("Identifier: Packages", "Origin: Debian"),
    )
    found = {}
    for line in told.splitlines():
        address, release, codename, component = line.split()
        if codename.partition("-")[0] == SUITE and component == "main":
            found[f"deb {address} {release} main"] = release != SUITE
    return sorted(found, key=found.__getitem__)


def _settings() -> list[str]:
    """How apt here fetches: proxies, certificates, clocks."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries")
    lines = run("apt-config", "dump", "Acquire").splitlines()
    return [line for line in lines if line.startswith(wanted) and not line.endswith(' "";')]


def _proxies() -> dict[str, str]:
    """The same proxies for what does not read apt's configuration."""
    found = {}
    for line in _settings():
        name, _, value = line.partition(" ")
        for scheme in ("http", "https"):
            if name == f"Acquire::{scheme}::Proxy":
                found[f"{scheme}_proxy"] = value.strip('";')
    return found
