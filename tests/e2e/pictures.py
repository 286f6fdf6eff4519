"""Takes the pictures of the README: real windows on a virtual screen, with the people of a studio.

Run as ``PYTHONPATH=app:signaling:tests python -m e2e.pictures FOLDER``, best in a network of its
own (``unshare -rn``), where no other team is about. Needs what the tests of the desktop need, and
for the connection doctor root, since it names hosts in `/etc/netns`.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from e2e.desktop import Desktop, WindowProcess, desktop
from e2e.meeting import signaling
from e2e.nat import SERVER, Homes, Router, homes
from e2e.nodes import ApiError, NodeProcess, until
from folkmoot.ui.theme.avatars import avatar_colour

SIZE = (1280, 800)
COLOURS = 256
TALK = "talk.example.org"
_QUESTION = """Layup schedule for the new hull is done. Can someone check `ply_07`? \
The angle looks wrong to me:

```python
ply_07 = Ply(angle=-45, thickness=0.31, side="port")
```"""


class Studio:
    """Four people with a node each, in one team; Elin is the one whose window is looked at."""

    def __init__(self, folder: Path) -> None:
        names = ("Elin Aas", "Tomas Lind", "Mara Oduya", "Yuki Kato")
        self._films = folder
        first = [name.split()[0] for name in names]
        command = [sys.executable, "-m", "e2e.faces", str(folder), *first]
        subprocess.run(command, check=True, timeout=300)
        self.people = {
            name.split()[0]: NodeProcess(folder / name.split()[0], name, *self._options(name))
            for name in names
        }

    def camera(self, name: str) -> str:
        """What somebody's camera sees."""
        return f"file:{self._films / name.split()[0]}.mp4"

    def _options(self, name: str) -> tuple[str, ...]:
        sound = "test" if name.startswith("Mara") else "none"
        camera = ("--camera", self.camera(name), "--microphone", sound, "--speaker", "none")
        return ("--listen", "127.0.0.1:0", *camera)

    @property
    def elin(self) -> NodeProcess:
        """Whose window is looked at."""
        return self.people["Elin"]

    def _start_in_a_colour_of_its_own(self, name: str) -> None:
        """Colours come from random keys: try until nobody before has the same."""
        taken = {colour(node) for node in self.people.values() if node.ready}
        node = self.people[name].start()
        while colour(node) in taken:
            node.kill()
            folder = node.profile.with_name(f"{node.profile.name}-")
            node = NodeProcess(folder, node.name, *self._options(name)).start()
        self.people[name] = node

    def start(self) -> None:
        """Start everybody and let them join."""
        for name in self.people:
            self._start_in_a_colour_of_its_own(name)
        team = self.elin.post("/teams", name="Harbour Studio")
        self.team = str(team["id"])
        link = self.elin.call("POST", f"/teams/{self.team}/invites", {})["link"]
        for node in self.others():
            node.post("/teams/join", invite=link)
        for node in self.people.values():
            until(partial(self._knows_all, node), f"everybody at {node.name}")
        for name, topic in (
            ("boat-hull", "Laminate, moulds and the 8-metre prototype"),
            ("shipping", "What leaves, what arrives"),
            ("pricing", ""),
        ):
            self.elin.post(
                "/chat/sessions", kind="channel", team=team["id"], name=name, topic=topic
            )
            for node in self.others():
                until(partial(node.session, name), f"#{name} at {node.name}")

    def others(self) -> list[NodeProcess]:
        """Everybody but Elin."""
        return [node for node in self.people.values() if node is not self.elin]

    def stop(self) -> None:
        """End everybody."""
        for node in self.people.values():
            node.kill()

    def say(self, who: str, channel: str, text: str, thread: str | None = None) -> str:
        """Post as somebody and wait until all have it; the message's id."""
        node = self.people[who]
        session = node.session(channel)["id"]
        more = {"thread": thread} if thread else {}
        posted = node.post(f"/chat/sessions/{session}/messages", text=text, **more)["id"]
        for other in self.people.values():
            if other.process is not None and other.process.poll() is None:
                until(partial(self._has, other, posted), f"“{text[:20]}” at {other.name}")
        return str(posted)

    def react(self, who: str, message: str, emoji: str) -> None:
        """React as somebody."""
        self.people[who].call("PUT", f"/messages/{message}/reactions/{emoji}")

    def write_to_elin(self, who: str, text: str) -> None:
        """A direct message."""
        node = self.people[who]
        direct = node.post(
            "/chat/sessions", kind="direct", team=self.team, participants=[self.elin.person]
        )
        node.post(f"/chat/sessions/{direct['id']}/messages", text=text)

    def come_to_call(self, who: str) -> None:
        """Join the call that runs, with the camera on."""
        node = self.people[who]
        node.token = node.make_token("read", "write", "admin", "calls")
        [room] = until(lambda: node.items("/webrtc/rooms"), f"the call at {who}")
        node.post(f"/webrtc/rooms/{room['id']}/join", video=True)
        if who == "Tomas":
            node.post(f"/webrtc/rooms/{room['id']}/mute", hand=True)

    def share_plan(self, who: str) -> None:
        """Share a drawing in the call."""
        node = self.people[who]
        [room] = node.items("/webrtc/rooms")
        plan = str(self._films / "plan.mp4")
        node.post(f"/webrtc/rooms/{room['id']}/share", kind="file", source_id=plan)

    def talk(self) -> None:
        """What was said before the window opens."""
        self.say("Yuki", "general", "Kettle is on. The crane is free until noon.")
        self.say("Tomas", "general", "Thank you! I take it at ten.")
        self.say("Yuki", "boat-hull", "The resin order went out this morning: 2 × **25 kg**.")
        asked = self.say("Tomas", "boat-hull", _QUESTION)
        for who, emoji in (("Elin", "%F0%9F%91%80"), ("Mara", "%F0%9F%91%80")):
            self.react(who, asked, emoji)
        self.react("Yuki", asked, "%F0%9F%91%8D")
        self.say("Elin", "boat-hull", "Should be `+45` on port.", asked)
        agreed = self.say("Yuki", "boat-hull", "Agreed, the drawing has `+45`.", asked)
        self.react("Elin", agreed, "%F0%9F%99%8F")
        self.say("Mara", "boat-hull", "Fixed in rev 12.", asked)
        self.say(
            "Mara",
            "boat-hull",
            "The mould is measured again. Before we laminate:\n\n"
            "1. wax, three coats\n2. tape the *flange*\n3. check the vacuum pump",
        )
        self.say("Elin", "boat-hull", "On my way to the shed.")
        self.write_to_elin("Tomas", "Lunch at the pier?")

    def talk_on(self) -> None:
        """What is said while Elin looks elsewhere."""
        self.say("Mara", "boat-hull", "Pump holds 0.9 bar. We can start when you are here.")
        self.say("Tomas", "shipping", "The carrier comes at four.")
        self.write_to_elin("Mara", "Bring the calipers, please.")

    def _knows_all(self, node: NodeProcess) -> bool:
        return len(node.items(f"/teams/{self.team}/members")) == len(self.people)

    def _has(self, node: NodeProcess, message: str) -> Any:
        try:
            return node.get(f"/messages/{message}/delivery")
        except ApiError:
            return None


def colour(node: NodeProcess) -> str:
    """The colour of a person's avatar."""
    return avatar_colour(bytes.fromhex(node.person))


def take(
    desk: Desktop, window: WindowProcess, file: Path, *, frame: str = "", still_s: float = 0.8
) -> None:
    """Save a small picture of one window (or of another `frame` of it), once it is still."""
    desk.xdotool("mousemove", 2, 2)
    time.sleep(still_s)
    subprocess.run(
        [
            "import",
            "-window",
            frame or window.frame,
            "-strip",
            "+dither",
            "-colors",
            str(COLOURS),
            f"png8:{file}",
        ],
        env=desk.environment,
        timeout=30,
        check=True,
    )


def picture_start(desk: Desktop, folder: Path, pictures: Path) -> None:
    """The start screen beside a team that can be seen."""
    window = desk.window(folder / "new")
    window.place(0, 0, *SIZE)
    window.find("Ask to join", timeout_s=30)
    window.type("Elin Aas")
    take(desk, window, pictures / "start.png")
    window.close()


def picture_main(desk: Desktop, studio: Studio, pictures: Path) -> None:
    """The main window with a thread, light and dark."""
    studio.elin.stop()
    window = desk.window(studio.elin.profile)
    window.place(0, 0, *SIZE)
    window.find("4 of 4 online", timeout_s=40)
    window.click("boat-hull", "check box")
    window.find("On my way to the shed.")
    window.click("general", "check box")
    window.find("Kettle is on.")
    studio.talk_on()
    window.find("Mara Oduya, 1 unread")
    window.click("boat-hull", "check box")
    window.click("3 replies", "push button")
    window.find("Fixed in rev 12.")
    take(desk, window, pictures / "main-light.png")
    window.click("Settings", "push button")
    window.click("Dark")
    window.key("Escape")
    take(desk, window, pictures / "main-dark.png")
    window.close()


def picture_call(desk: Desktop, studio: Studio, pictures: Path) -> None:
    """A call of two, and of four as a grid."""
    with contextlib.closing(sqlite3.connect(studio.elin.profile / "store.sqlite3")) as store:
        chosen = {"camera": studio.camera("Elin"), "microphone": "none", "speaker": "none"}
        for key, value in chosen.items():
            store.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (f"media.{key}", value))
        store.commit()
    window = desk.window(studio.elin.profile)
    window.place(0, 0, *SIZE)
    window.find("4 of 4 online", timeout_s=40)
    window.click("boat-hull", "check box")
    window.click("Call", "push button")
    frame = until(lambda: _frame_of(desk, "boat-hull: call"), "the window of the call")
    desk.xdotool("windowsize", "--sync", frame, *SIZE)
    desk.xdotool("windowmove", "--sync", frame, 40, 40)
    window.click("Switch the camera on", "push button")
    studio.come_to_call("Mara")
    window.find("Mara Oduya, camera on")
    take(desk, window, pictures / "call-two.png", frame=frame, still_s=8)
    for who in ("Tomas", "Yuki"):
        studio.come_to_call(who)
    window.find("Yuki Kato, camera on")
    window.click("Layout", "push button")
    desk.xdotool("key", "--delay", 60, "Down", "Down", "Return")
    take(desk, window, pictures / "call.png", frame=frame, still_s=12)
    studio.share_plan("Mara")
    window.click("Draw")
    tile = window.find("Mara’s screen")
    x, y = tile.middle
    desk.xdotool("mousemove", x - 110, y - 10, "mousedown", 1)
    for step in range(41):
        turn = step / 20 * 3.1416
        place = round(x - 110 * math.cos(turn)), round(y - 10 - 60 * math.sin(turn))
        desk.xdotool("mousemove", *place, "sleep", 0.02)
    desk.xdotool("mouseup", 1)
    take(desk, window, pictures / "share.png", frame=frame, still_s=5)
    window.click("Leave the call", "push button")
    window.close()


@contextlib.contextmanager
def _named(apart: Homes) -> Iterator[None]:
    """Every home knows the server by its name."""
    folders = [Path("/etc/netns", apart.namespace(home)) for home in apart.routers]
    try:
        for folder in folders:
            folder.mkdir(parents=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{SERVER} {TALK}\n")
        yield
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def picture_doctor(desk: Desktop, folder: Path, pictures: Path) -> None:
    """The connection doctor of Elin: one directly, one over a server, one not at all."""
    names = ("Elin Aas", "Tomas Lind", "Mara Oduya", "Yuki Kato")
    keys = dict.fromkeys((name.split()[0].lower() for name in names), Router.PLAIN)
    keys["mara"] = Router.NO_UDP
    url = f"ws://{TALK}:8480"
    with homes(**keys) as apart, _named(apart), signaling(apart, folder / "server", name=url):
        options = ("--signaling", url)
        nodes = [
            NodeProcess(folder / f"away-{key}", name, *options, prefix=apart.inside(key)).start()
            for key, name in zip(keys, names, strict=True)
        ]
        elin, *others = nodes
        try:
            elin.post("/servers", url=url)
            team = str(elin.post("/teams", name="Harbour Studio")["id"])
            link = elin.call("POST", f"/teams/{team}/invites", {})["link"]
            for node in others:
                node.post("/teams/join", invite=link)
            for node in nodes:
                until(lambda n=node: len(n.items(f"/teams/{team}/members")) == 4, "everybody", 40)  # type: ignore[misc]
            elin.stop()
            others[-1].stop()
            window = desk.window(elin.profile, prefix=apart.inside("elin"))
            window.place(0, 0, *SIZE)
            window.find("3 of 4 online", timeout_s=40)
            window.key("ctrl+shift+d")
            window.place_window("Connection doctor", 60, 40, 860, 680)
            window.find("Tomas Lind, ", "check box")
            window.find("Direct, over the internet", "check box", 40)
            time.sleep(14)  # until Mara's routers have been tried too
            window.click("Check again", "push button")
            until(lambda: not window.all("Checking"), "the check", 40)
            window.find("Not reached", "check box", 60)
            row = window.find("Mara Oduya, ", "check box")
            window.click_at(*row.middle)
            window.find("No way straight through both routers", timeout_s=40)
            frame = _frame_of(desk, "Connection doctor")
            take(desk, window, pictures / "doctor.png", frame=frame)
            window.close()
        finally:
            for node in nodes:
                node.kill()


def _frame_of(desk: Desktop, title: str) -> str:
    done = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", title],
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.stdout.split("\n")[0]


def main(pictures: Path) -> None:
    """Take all pictures."""
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="folkmoot-pictures-") as name:
        folder = Path(name)
        studio = Studio(folder)
        try:
            studio.start()
            studio.talk()
            with desktop("1400x920") as desk:
                picture_start(desk, folder, pictures)
                picture_main(desk, studio, pictures)
                picture_call(desk, studio, pictures)
                studio.stop()
                picture_doctor(desk, folder, pictures)
        finally:
            studio.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
