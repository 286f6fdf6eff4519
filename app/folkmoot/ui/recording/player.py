"""The player: picture, controls, chapters beside. Imported when the first recording is opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QFileInfo, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtMultimedia import QVideoFrame
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from folkmoot.ui.recording.chapters import ChapterList
from folkmoot.ui.recording.controls import PlayerControls
from folkmoot.ui.recording.engine import Engine
from folkmoot.ui.recording.seek import STEP_MS
from folkmoot.ui.recording.state import RecordingState, chapter_at
from folkmoot.ui.recording.tracks import open_tracks
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, IconButton
from folkmoot.ui.widgets.text import ElidedText

_BESIDE = 300
_BESIDE_FROM = 760
_BELOW = 170
"""Width of the chapters beside the picture, from which width they stand there, else the height."""


class Picture(QWidget):
    """The newest picture, as large as it fits; or why there is none."""

    pressed = Signal()
    pressed_twice = Signal()

    def __init__(self, theme: Theme, to_image: Callable[[QVideoFrame], QImage]) -> None:
        """`theme` is the dark one: a picture stands on black."""
        super().__init__()
        self._theme = theme
        self._to_image = to_image
        self._image = QImage()
        self._frame: QVideoFrame | None = None
        self._words = ""
        self._click = QTimer(self, singleShot=True, interval=220)
        self._click.timeout.connect(self.pressed)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Picture"))

    @property
    def image(self) -> QImage:
        """What is shown. Made only when it is looked at: where more come than can be painted,
        or none is seen, the others cost nothing."""
        if self._frame is not None:
            self._image, self._frame = self._to_image(self._frame), None
        return self._image

    @property
    def words(self) -> str:
        """Why there is no picture."""
        return self._words

    def show_frame(self, frame: QVideoFrame) -> None:
        """The next picture."""
        self._frame = frame
        if not self.window().isMinimized():
            self.update()

    def clear(self) -> None:
        """No picture yet."""
        self._image, self._frame = QImage(), None
        self.update()

    def say(self, words: str) -> None:
        """What is wrong; the picture goes."""
        self._words = words
        self.setAccessibleName(words or self.tr("Picture"))
        if words:
            self.clear()
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Enough to see somebody."""
        return QSize(200, 120)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click plays or pauses, unless it is the first of two."""
        if event.button() == Qt.MouseButton.LeftButton and not self._words:
            self._click.start()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Full screen."""
        self._click.stop()
        self.pressed_twice.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Black, the picture or the words."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("stage"))
        image = self.image
        if not image.isNull():
            size = image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            box = QRect(self.rect().topLeft(), size)
            box.moveCenter(self.rect().center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, image)
        elif self._words:
            self._paint_words(painter)

    def _paint_words(self, painter: QPainter) -> None:
        middle = self.rect().center()
        picture = self._theme.pixmap("file-x", "bad_text", 28, self.devicePixelRatioF())
        painter.drawPixmap(middle.x() - 14, middle.y() - 44, picture)
        painter.setFont(self._theme.font(TextStyle.BODY))
        painter.setPen(self._theme.colour("ink"))
        box = QRectF(24, middle.y(), self.width() - 48, 80)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        painter.drawText(box, flags | Qt.TextFlag.TextWordWrap, self._words)


class Player(QWidget):
    """Plays one recording after another."""

    back_pressed = Signal()
    elsewhere_pressed = Signal()
    message_wanted = Signal(float, str)
    """Seconds in the recording, and the words of the chapter: what was written then."""

    def __init__(self, theme: Theme, dark: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._state: RecordingState | None = None
        self.engine = Engine(self)
        self.setAccessibleName(self.tr("Player"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._head = self._build_head()
        column.addWidget(self._head)
        self._middle = QWidget()
        column.addWidget(self._middle, 1)
        self.picture = Picture(dark, self.engine.to_image)
        self.picture.setParent(self._middle)
        self.chapters = ChapterList(theme)
        self.chapters.setParent(self._middle)
        self.controls = PlayerControls(theme)
        self.controls.show_sound(self.engine.has_sound)
        column.addWidget(self.controls)
        self._connect()

    def _build_head(self) -> QWidget:
        head = QWidget()
        line = QHBoxLayout(head)
        line.setContentsMargins(12, 8, 12, 8)
        line.setSpacing(10)
        self.back = IconButton("arrow-left", self.tr("All recordings (Esc)"), self._theme, side=36)
        self.back.clicked.connect(self.back_pressed)
        line.addWidget(self.back)
        words = QVBoxLayout()
        words.setSpacing(0)
        self.title = ElidedText("", self._theme, TextStyle.STRONG)
        self.facts = ElidedText("", self._theme, TextStyle.META, "mute")
        words.addWidget(self.title)
        words.addWidget(self.facts)
        line.addLayout(words, 1)
        self.elsewhere = Button(
            self.tr("Open in another program"), self._theme, icon="external-link"
        )
        self.elsewhere.clicked.connect(self.elsewhere_pressed)
        line.addWidget(self.elsewhere)
        for button in (self.back, self.elsewhere):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return head

    def _connect(self) -> None:
        engine, controls = self.engine, self.controls
        engine.played.connect(controls.show_playing)
        engine.moved.connect(self._moved)
        engine.measured.connect(self._measured)
        engine.pictured.connect(self.picture.show_frame)
        engine.tracked.connect(self._show_tracks)
        engine.failed.connect(self._failed)
        controls.play_pressed.connect(self.toggle)
        controls.sought.connect(engine.seek)
        controls.volume_changed.connect(engine.set_volume)
        controls.tracks_pressed.connect(lambda: open_tracks(engine, controls.tracks))
        controls.full_screen_pressed.connect(self.toggle_full_screen)
        self.picture.pressed.connect(self.toggle)
        self.picture.pressed_twice.connect(self.toggle_full_screen)
        self.chapters.chosen.connect(self._go_to)
        self.chapters.message_wanted.connect(self.message_wanted)

    # --- what is played

    @property
    def state(self) -> RecordingState | None:
        """What is open."""
        return self._state

    def open(self, state: RecordingState) -> None:
        """Play a recording from its start."""
        self.engine.close()
        self._state = state
        self.picture.clear()
        self.title.setText(state.title)
        self.facts.setText(" · ".join(p for p in (state.mark, state.names, state.facts) if p))
        chapters = state.recording.chapters
        self.controls.seek.show_chapters(chapters)
        self.chapters.show_chapters(chapters)
        self.chapters.setVisible(bool(chapters))
        self.controls.show_length(round(state.recording.duration_s * 1000))
        self._moved(0)
        self._place()
        self.controls.seek.setFocus(Qt.FocusReason.OtherFocusReason)
        self.engine.open(state.recording.path)
        if not self.picture.words:
            self.engine.play()

    def close_file(self) -> None:
        """Nothing plays on."""
        self.engine.close()
        self._state = None

    def toggle(self) -> None:
        """Play or pause."""
        if self.picture.words:
            return
        if self.engine.is_playing:
            self.engine.pause()
        else:
            self.engine.play()

    def _go_to(self, seconds: float) -> None:
        self.engine.seek(round(seconds * 1000))

    def _moved(self, at_ms: int) -> None:
        if at_ms > self.controls.seek.maximum():
            self.controls.show_length(at_ms)  # neither file nor list knew how long it is
        self.controls.show_time(at_ms)
        if self._state is not None:
            self.chapters.show_current(chapter_at(self._state.recording.chapters, at_ms / 1000))

    def _show_tracks(self) -> None:
        """Where each person has a track, one chooses."""
        several = len(self.engine.pictures) > 1 or len(self.engine.voices) > 1
        self.controls.tracks.setVisible(several)

    def _measured(self, length_ms: int) -> None:
        """The file knows better; one that broke off may not know, then the list does."""
        if length_ms:
            self.controls.show_length(length_ms)

    def _failed(self, words: str) -> None:
        self.picture.say(words)
        for part in (self.controls.play, self.controls.seek, self.controls.full):
            part.setEnabled(not words)
        path = self._state.recording.path if self._state is not None else ""
        self.elsewhere.setVisible(not words or QFileInfo.exists(path))

    # --- keys and places

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, arrows, F, M, Escape."""
        key = event.key()
        if key == Qt.Key.Key_Space:
            self.toggle()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.controls.seek.step(STEP_MS if key == Qt.Key.Key_Right else -STEP_MS)
        elif key in (Qt.Key.Key_F, Qt.Key.Key_F11):
            self.toggle_full_screen()
        elif key == Qt.Key.Key_M:
            self.controls.toggle_mute()
        elif key == Qt.Key.Key_Escape and self.window().isFullScreen():
            self.toggle_full_screen()
        elif key == Qt.Key.Key_Escape:
            self.back_pressed.emit()
        else:
            super().keyPressEvent(event)

    def toggle_full_screen(self) -> None:
        """The picture and the line below it fill the screen, or no more."""
        if self.picture.words:
            return
        window = self.window()
        if window.isFullScreen():
            window.showNormal()
        else:
            window.showFullScreen()
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place everything anew."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        full = self.window().isFullScreen()
        self._head.setVisible(not full)
        self.controls.show_full(full)
        self.elsewhere.show_face(
            "external-link",
            self.tr("Open in another program") if self.width() >= 560 else "",
            self.tr("Open in another program"),
        )
        layout = self.layout()
        if layout is not None:
            layout.activate()
        width, height = self._middle.width(), self._middle.height()
        listed = bool(self.chapters.rows) and not full
        self.chapters.setVisible(listed)
        if not listed:
            self.picture.setGeometry(0, 0, width, height)
        elif width >= _BESIDE_FROM:
            self.picture.setGeometry(0, 0, width - _BESIDE, height)
            self.chapters.setGeometry(width - _BESIDE + 8, 4, _BESIDE - 12, height - 4)
        else:
            below = min(_BELOW, height // 2)
            self.picture.setGeometry(0, 0, width, height - below)
            self.chapters.setGeometry(8, height - below + 4, width - 16, below - 4)
