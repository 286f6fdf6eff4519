#!/bin/sh
# Freezes the program: dist/folkmoot from the environment .venv-bundle, which `make bundle` sets up.
# The time of all files, and with it the bytes of the result, follow the commit alone.
set -eu
cd "$(dirname "$0")/../.."
python=.venv-bundle/bin/python
[ -x "$python" ] || python=.venv-bundle/Scripts/python.exe

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 TZ=UTC LC_ALL=C.UTF-8
umask 022
"$python" -m PyInstaller --noconfirm --log-level ERROR \
	--distpath build/bundle/dist --workpath build/bundle packaging/bundle/folkmoot.spec

# A bundle that is too large, or that starts but lacks something, is none.
whole=build/bundle/dist/folkmoot
"$python" packaging/bundle/sizes.py "$whole"
program=$whole/folkmoot
[ ! -e "$program-console.exe" ] || program=$program-console.exe
QT_QPA_PLATFORM=offscreen "$program" --selftest >build/bundle/selftest.json || {
	cat build/bundle/selftest.json >&2
	exit 1
}

mkdir -p dist
for made in folkmoot Folkmoot.app; do
	if [ -e "build/bundle/dist/$made" ]; then
		rm -rf "dist/$made"
		mv "build/bundle/dist/$made" dist/
	fi
done
cp dist/folkmoot/_internal/copyright build/bundle/copyright
