"""The list of checks, in the order in which they begin: what takes longest comes first."""

from __future__ import annotations

from folkmoot.bootstrap.selftest.runner import Check

_HERE = "folkmoot.bootstrap.selftest"
CALL_S = 70.0
"""Longer than it gives itself, so that it can say what did not come."""

CHECKS = (
    Check("loopback_call", f"{_HERE}.talking:check_call", CALL_S),
    Check("qt_platform", f"{_HERE}.qt:check_platform", shows=True),
    Check("svg", f"{_HERE}.qt:check_svg"),
    Check("image_formats", f"{_HERE}.qt:check_image_formats"),
    Check("fonts", f"{_HERE}.qt:check_fonts"),
    Check("resources", f"{_HERE}.qt:check_resources"),
    Check("translations", f"{_HERE}.qt:check_translations"),
    Check("single_instance", f"{_HERE}.qt:check_single_instance"),
    Check("media_player", f"{_HERE}.player:check_player", shows=True),
    Check("sound", "folkmoot.media.selftest:check_sound"),
    Check("echo_cancellation", "folkmoot.media.selftest:check_echo_cancellation"),
    Check("codecs", "folkmoot.media.selftest:check_codecs"),
    Check("recording", "folkmoot.media.selftest:check_recording"),
    Check("pictures", f"{_HERE}.talking:check_pictures", 40.0),
    Check("full_text", f"{_HERE}.keeping:check_full_text"),
    Check("profile", f"{_HERE}.keeping:check_profile"),
    Check("tls_proofs", f"{_HERE}.linking:check_tls_proofs"),
    Check("quic", f"{_HERE}.linking:check_quic"),
    Check("server", f"{_HERE}.linking:check_server"),
    Check("mdns", f"{_HERE}.linking:check_mdns"),
    Check("api", f"{_HERE}.linking:check_api"),
)
BY_NAME = {check.name: check for check in CHECKS}
