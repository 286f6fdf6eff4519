"""What this computer knows of others: where they were reached, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.domain.entry import Kind, LogHead
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey, PersonId
from folkmoot.services.ports import StoredAddress
from folkmoot.storage.book import Book
from folkmoot.storage.dressing import member_devices
from folkmoot.storage.rows import Rows, one

MAX_ADDRESSES_PER_DEVICE = 8
MAX_UNKNOWN_ADDRESSES = 64
MAX_DELIVERIES = 200
_NO_DEVICE = b""


def remember_address(rows: Rows, address: StoredAddress) -> None:
    """Keep where a device is; of those that nobody typed the oldest go."""
    device = address.device or _NO_DEVICE
    rows.run(
        "INSERT INTO address VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
        " typed = max(typed, ?3), last_ok_ms = coalesce(?4, last_ok_ms)",
        (device, address.address, int(address.typed), address.last_ok_ms),
    )
    if address.device is not None:  # the device behind an address is known from now on
        sql = "UPDATE address SET typed = 1 WHERE device = ? AND address = ? AND EXISTS"
        sql += " (SELECT 1 FROM address WHERE device = ? AND address = ? AND typed = 1)"
        rows.run(sql, (device, address.address, _NO_DEVICE, address.address))
        rows.run(
            "DELETE FROM address WHERE device = ? AND address = ?", (_NO_DEVICE, address.address)
        )
    most = MAX_ADDRESSES_PER_DEVICE if device else MAX_UNKNOWN_ADDRESSES
    rows.run(
        "DELETE FROM address WHERE device = ?1 AND typed = 0 AND address NOT IN (SELECT address"
        " FROM address WHERE device = ?1 ORDER BY typed DESC, last_ok_ms DESC, address LIMIT ?2)",
        (device, most),
    )


def addresses(rows: Rows) -> list[StoredAddress]:
    """Every remembered address."""
    sql = "SELECT device, address, typed, last_ok_ms FROM address ORDER BY device, address"
    return [
        StoredAddress(DeviceId(device) if device else None, address, bool(typed), last_ok_ms)
        for device, address, typed, last_ok_ms in rows.all(sql)
    ]


def note_held(
    rows: Rows, book: Book, me: PersonId, device: DeviceId, own: DeviceId, heads: Sequence[LogHead]
) -> dict[ConversationId, list[tuple[EntryId, int, int]]]:
    """Take what a device says it holds; own messages that now lie on more computers.

    A claim counts only where we hold the same entry at that sequence; one beyond our head counts up
    to our head.
    """
    told: dict[ConversationId, list[tuple[EntryId, int, int]]] = {}
    for head in heads:
        key = book.key(rows, head.log.conversation)
        log = book.logs(rows, key).get((head.log.device, head.log.grant)) if key else None
        if key is None or log is None or device == own:
            continue
        sequence = min(head.sequence, log.sequence)
        if sequence == head.sequence:
            sql = "SELECT 1 FROM entry WHERE log = ? AND sequence = ? AND id = ?"
            if one(rows, sql, (log.key, sequence, head.id)) is None:
                continue
        sql = "SELECT sequence FROM holding WHERE log = ? AND device = ?"
        row = one(rows, sql, (log.key, device))
        known = row[0] if row else 0
        if sequence <= known:
            continue
        rows.run("INSERT OR REPLACE INTO holding VALUES (?, ?, ?)", (log.key, device, sequence))
        if log.person == me:
            changed = _deliveries(rows, key, log.key, own, known, sequence)
            if changed:
                told.setdefault(head.log.conversation, []).extend(changed)
    return told


def _deliveries(
    rows: Rows, key: int, log: int, own: DeviceId, after: int, upto: int
) -> list[tuple[EntryId, int, int]]:
    sql = (
        "SELECT id, sequence FROM entry WHERE log = ? AND sequence > ? AND sequence <= ?"
        " AND kind IN (?, ?) ORDER BY sequence DESC LIMIT ?"
    )
    messages = rows.all(sql, (log, after, upto, int(Kind.MESSAGE), int(Kind.CALL), MAX_DELIVERIES))[
        ::-1
    ]
    devices = member_devices(rows, key) | {own}
    held = [
        sequence
        for device, sequence in rows.all(
            "SELECT device, sequence FROM holding WHERE log = ?", (log,)
        )
        if device in devices and device != own
    ]
    return [
        (EntryId(entry), 1 + sum(other >= sequence for other in held), len(devices))
        for entry, sequence in messages
    ]


def held_by(rows: Rows, device: DeviceId) -> dict[LogKey, int]:
    """What a device is known to hold."""
    sql = (
        "SELECT c.id, l.device, l.grant_id, h.sequence FROM holding h JOIN log l ON l.key = h.log"
        " JOIN conversation c ON c.key = l.conversation WHERE h.device = ?"
    )
    return {
        LogKey(ConversationId(c), DeviceId(d), EntryId(g)): sequence
        for c, d, g, sequence in rows.all(sql, (device,))
    }
