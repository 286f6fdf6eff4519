#!/bin/sh
# installer.sh: the installer for Windows from dist/folkmoot, with the environment of the bundle.
set -eu
cd "$(dirname "$0")/../.."
python=.venv-bundle/bin/python
[ -x "$python" ] || python=.venv-bundle/Scripts/python.exe
exec "$python" packaging/windows/make_installer.py "$@"
