"""What macOS is told of Folkmoot: the keys of `Info.plist`, for the recipe of the bundle.

Who is asked by macOS for the camera, the microphone, the screen or the network reads these words,
before the program could say anything itself.
"""

from __future__ import annotations

BUNDLE_ID = "org.folkmoot.Folkmoot"
SERVICE = "_folkmoot._tcp"
"""What is announced and looked for by mDNS; macOS lets a program use only the types it names."""
LEAST_SYSTEM = "14.0"
"""PyAV's libraries are built for it; PySide6 would take 13."""


def info(version: str, build: str) -> dict[str, object]:
    """The keys that PyInstaller does not write by itself.

    `version` is what people read, three numbers at most count; `build` tells two builds apart.
    """
    return {
        "CFBundleIdentifier": BUNDLE_ID,
        "CFBundleName": "Folkmoot",
        "CFBundleDisplayName": "Folkmoot",
        "CFBundleShortVersionString": version,
        "CFBundleVersion": build,
        "CFBundleDevelopmentRegion": "en",
        "LSApplicationCategoryType": "public.app-category.social-networking",
        "LSMinimumSystemVersion": LEAST_SYSTEM,
        "NSHighResolutionCapable": True,
        "NSSupportsAutomaticGraphicsSwitching": True,
        "NSHumanReadableCopyright": "The Folkmoot authors. GPL-3.0-or-later.",
        "NSCameraUsageDescription": (
            "Folkmoot shows your picture to the people in a call, and only while your camera is on."
        ),
        "NSMicrophoneUsageDescription": (
            "Folkmoot lets the people in a call hear you, and only while you are not muted."
        ),
        "NSScreenCaptureUsageDescription": (
            "Folkmoot shows the screen or the window that you choose to the people in a call."
        ),
        "NSLocalNetworkUsageDescription": (
            "Folkmoot finds the people of your teams on this network and sends messages and calls"
            " straight to their computers, encrypted."
        ),
        "NSBonjourServices": [SERVICE],
        "CFBundleURLTypes": [
            {
                "CFBundleURLName": BUNDLE_ID,
                "CFBundleURLSchemes": ["folkmoot"],
                "CFBundleTypeRole": "Viewer",
            }
        ],
    }
