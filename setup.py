"""Packs the folder `resources/` into the wheel; everything else is in `pyproject.toml`."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithResources(build_py):
    """Copies `resources/` to `folkmoot/_resources`, where `folkmoot.resources` looks for it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "folkmoot", "_resources")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree("resources", target)
            shutil.copy("LICENSE", target)


setup(cmdclass={"build_py": BuildWithResources})
