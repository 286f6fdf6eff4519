#!/bin/sh
# Makes sure that the Debian packages named in the given LISTs are installed: by apt as root or with a
# sudo that asks nothing; else names them, says the command, and ends with 1. On a system without dpkg
# it does nothing: there the README says what is needed.
set -eu
command -v dpkg-query >/dev/null 2>&1 || exit 0

wanted=$(cat "$@")
# A package may have been renamed for the 64-bit time type (libglib2.0-0t64): either name will do.
installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null |
	sed -n 's/^installed //p' | tr '\n' ' ')"
missing=
for package in $wanted; do
	case $installed in
	*" $package "* | *" ${package}t64 "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	sudo=sudo
else
	cat >&2 <<TEXT
These system packages are missing:$missing
You are not root and sudo asks for a password, so nothing was installed. Run, or ask an administrator to run:
    sudo apt-get install --no-install-recommends$missing
TEXT
	exit 1
fi
echo "Installing system packages:$missing"
$sudo apt-get -q update
# A renamed package is still found by its old name, which the new one provides.
# shellcheck disable=SC2086  # many names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing
