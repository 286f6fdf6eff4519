"""A program of its own with one Qt window in one colour; does what it is told on its input.

Lines: ``hide``, ``show``, ``colour NAME``. It answers each with ``done``.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QSocketNotifier
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget


def main() -> int:
    """``painter.py TITLE COLOUR LEFT TOP WIDTH HEIGHT``."""
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    window = QWidget(autoFillBackground=True, windowTitle=sys.argv[1])
    window.setGeometry(*(int(word) for word in sys.argv[3:7]))

    def paint(colour: str) -> None:
        palette = window.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(colour))
        window.setPalette(palette)

    def obey() -> None:
        words = sys.stdin.readline().split()
        if not words:
            application.quit()
        elif words[0] == "colour":
            paint(words[1])
            window.repaint()
        else:
            window.setVisible(words[0] == "show")
        sys.stdout.write("done\n")
        sys.stdout.flush()

    notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
    notifier.activated.connect(obey)
    paint(sys.argv[2])
    window.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
