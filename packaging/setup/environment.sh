#!/bin/sh
# environment.sh FOLDER LOCK: makes FOLDER a virtual environment that holds exactly LOCK.
# Quick when nothing changed. The stamp is written last, so an interrupted set-up is done again.
# Works where `venv` has no ensurepip (Debian without python3-venv) and pip is externally managed.
set -eu
folder=$1
lock=$2
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
	echo "Folkmoot needs Python 3.11 or newer; $python is $("$python" --version 2>&1)." >&2
	echo "Name another one with: make … PYTHON=python3.12" >&2
	exit 1
}
stamp=$("$python" -c 'import hashlib, sys
print(sys.version.split()[0], sys.base_prefix, hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$lock")
[ "$(cat "$folder/.complete" 2>/dev/null)" = "$stamp" ] && exit 0

# Two commands started together must not build in one folder.
if [ -z "${FOLKMOOT_SETUP_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
	FOLKMOOT_SETUP_LOCKED=1 exec flock "$folder.lock" "$0" "$@"
fi

echo "Setting up $folder (once; again only when $lock changes) …"
rm -rf "$folder"
"$python" -m venv --without-pip "$folder"
if ! "$python" -m pip --version >/dev/null 2>&1; then
	echo "pip is missing for $python. On Debian: sudo apt-get install python3-pip" >&2
	exit 1
fi
inner=$folder/bin/python
[ -x "$inner" ] || inner=$folder/Scripts/python.exe # on Windows
"$python" -m pip --python "$inner" install -q --no-input --require-hashes -r "$lock"
printf '%s\n' "$stamp" >"$folder/.complete.new"
mv "$folder/.complete.new" "$folder/.complete"
