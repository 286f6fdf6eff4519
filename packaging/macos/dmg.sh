#!/bin/bash
# dmg.sh: dist/Folkmoot-VERSION-ARCHITECTURE.dmg from dist/Folkmoot.app, on macOS.
#
# Signs with the identity MACOS_IDENTITY ("Developer ID Application: …") where it is given, else for
# this computer only ("ad hoc"): others must then allow it in the settings of their system. With
# MACOS_NOTARY_KEY (file of an App Store Connect key), MACOS_NOTARY_KEY_ID and MACOS_NOTARY_ISSUER
# Apple is asked to notarise the image, and its answer is put into it.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(uname -s)" = Darwin ] || {
	echo "A disk image for macOS is made on macOS; here only its parts are checked." >&2
	exit 1
}
app=dist/Folkmoot.app
[ -d "$app" ] || {
	echo "There is no $app. Make it first: make bundle" >&2
	exit 1
}
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' app/folkmoot/__init__.py)
image=dist/Folkmoot-$version-$(uname -m).dmg
identity=${MACOS_IDENTITY:--}
sign=(codesign --force --sign "$identity")
# Without a team the hardened runtime would refuse the libraries.
[ "$identity" = - ] || sign+=(--options runtime --timestamp)

# From inside to outside: a signature covers what lies below it.
find "$app/Contents" -type f -print0 | while IFS= read -r -d '' file; do
	if [[ $(file -b "$file") == Mach-O* ]]; then
		"${sign[@]}" "$file"
	fi
done
find "$app/Contents" -depth -type d -name '*.framework' -exec "${sign[@]}" {} \;
"${sign[@]}" --entitlements packaging/macos/entitlements.plist "$app"
codesign --verify --deep --strict --verbose=1 "$app"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ditto "$app" "$folder/Folkmoot.app"
ln -s /Applications "$folder/Applications"
rm -f "$image"
hdiutil create -quiet -volname Folkmoot -srcfolder "$folder" -fs HFS+ -format UDZO "$image"

if [ "$identity" != - ]; then
	codesign --force --timestamp --sign "$identity" "$image"
	if [ -n "${MACOS_NOTARY_KEY:-}" ]; then
		xcrun notarytool submit "$image" --wait --key "$MACOS_NOTARY_KEY" \
			--key-id "$MACOS_NOTARY_KEY_ID" --issuer "$MACOS_NOTARY_ISSUER"
		xcrun stapler staple "$image"
	else
		echo "Signed, and not notarised: MACOS_NOTARY_KEY is not given."
	fi
else
	echo "Signed for this computer only: MACOS_IDENTITY is not given."
fi
hdiutil verify -quiet "$image"
echo "$image"
