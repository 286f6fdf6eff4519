#!/bin/sh
# flatpak.sh [--check]: dist/Folkmoot-VERSION-ARCHITECTURE.flatpak from dist/folkmoot.
#
# Where the runtime and its SDK are not installed, or with --check, only the manifest is read, as
# flatpak-builder understands it. To install them:
#   flatpak install --user flathub org.freedesktop.Platform//25.08 org.freedesktop.Sdk//25.08
set -eu
cd "$(dirname "$0")/../.."
manifest=packaging/linux/org.folkmoot.Folkmoot.yml
# The state folder: without it a .flatpak-builder would appear in the clone.
flatpak-builder --state-dir=build/flatpak/state --show-manifest "$manifest" >/dev/null
sdk=org.freedesktop.Sdk//$(sed -n "s/^runtime-version: '\(.*\)'$/\1/p" "$manifest")
if [ "${1:-}" = --check ] || ! flatpak info "$sdk" >/dev/null 2>&1; then
	echo "The manifest reads well. Nothing was built: $sdk is not installed, or only a check was asked for."
	exit 0
fi
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' app/folkmoot/__init__.py)
out=dist/Folkmoot-$version-$(uname -m).flatpak
share=build/flatpak/integration
rm -rf build/flatpak
PYTHONPATH=packaging .venv-bundle/bin/python -m linux.desktop "$share"
flatpak-builder --force-clean --state-dir=build/flatpak/state --repo=build/flatpak/repo \
	--override-source-date-epoch="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" \
	build/flatpak/app "$manifest"
flatpak build-bundle build/flatpak/repo "$out" org.folkmoot.Folkmoot
echo "$out"
