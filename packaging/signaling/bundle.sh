#!/bin/sh
# Freezes the server: dist/folkmoot-signaling from the environment .venv-signaling-bundle, which
# `make signaling-deb` sets up. Names and times in the result follow the commit alone.
set -eu
cd "$(dirname "$0")/../.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 TZ=UTC LC_ALL=C.UTF-8
umask 022
.venv-signaling-bundle/bin/python -m PyInstaller --noconfirm --log-level ERROR \
	--distpath build/signaling/dist --workpath build/signaling \
	packaging/signaling/folkmoot-signaling.spec
rm -rf dist/folkmoot-signaling
mkdir -p dist
mv build/signaling/dist/folkmoot-signaling dist/
