#!/bin/sh
# Builds the Debian packages into dist/, unless those there are of the files that are here now.
set -eu
cd "$(dirname "$0")/../.."

# What goes into them, by content; a file that was deleted but not committed is named only.
stamp=$(git ls-files -z -c -o --exclude-standard -- app signaling resources packaging requirements \
	docs/HOSTING.md CHANGELOG.md LICENSE Makefile pyproject.toml setup.py |
	sort -zu | xargs -0 sha256sum 2>&1 | sha256sum)
if [ "$(cat dist/packages.stamp 2>/dev/null)" = "$stamp" ] &&
	ls dist/folkmoot_*.deb dist/folkmoot-signaling_*.deb >/dev/null 2>&1; then
	exit 0
fi
rm -f dist/packages.stamp dist/*.deb
make deb signaling-deb
printf '%s\n' "$stamp" >dist/packages.stamp
