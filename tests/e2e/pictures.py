"""Takes the pictures of the README: real windows on a virtual screen, with the people of a studio.

Run as ``PYTHONPATH=app:signaling:tests python -m e2e.pictures FOLDER``, best in a network of its
own (``unshare -rn``), where no other team is about. Needs what the tests of the desktop need.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from e2e.desktop import Desktop, WindowProcess, desktop
from e2e.nodes import ApiError, NodeProcess, until
from folkmoot.ui.theme.avatars import avatar_colour

SIZE = (1280, 800)
COLOURS = 256
_QUESTION = """Layup schedule for the new hull is done. Can someone check `ply_07`? \
The angle looks wrong to me:

```python
ply_07 = Ply(angle=-45, thickness=0.31, side="port")
```"""


class Studio:
    """Four people with a node each, in one team; Elin is the one whose window is looked at."""

    def __init__(self, folder: Path) -> None:
        names = ("Elin Aas", "Tomas Lind", "Mara Oduya", "Yuki Kato")
        self.people = {
            name.split()[0]: NodeProcess(folder / name.split()[0], name, "--listen", "127.0.0.1:0")
            for name in names
        }

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
            node = NodeProcess(folder, node.name, "--listen", "127.0.0.1:0").start()
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


def take(desk: Desktop, window: WindowProcess, file: Path) -> None:
    """Save a small picture of one window, once it is still."""
    desk.xdotool("mousemove", 2, 2)
    time.sleep(0.8)
    subprocess.run(
        [
            "import",
            "-window",
            window.frame,
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


def main(pictures: Path) -> None:
    """Take all pictures."""
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="folkmoot-pictures-") as name:
        folder = Path(name)
        studio = Studio(folder)
        try:
            studio.start()
            studio.talk()
            with desktop("1400x900") as desk:
                picture_start(desk, folder, pictures)
                picture_main(desk, studio, pictures)
        finally:
            studio.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
