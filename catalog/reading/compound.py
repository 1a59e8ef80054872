"""The compound files of old Office (MS-CFB): the names of their streams, and the bytes of one."""

import struct
from pathlib import Path

from catalog.reading.contents import Unreadable

FREE = 0xFFFFFFFA  # this and above are no sector numbers
ENTRY = 128
SMALL_LIMIT = 4096
DAMAGED = "文件损坏或不完整，请用 Excel 或 WPS 打开，另存为 .xlsx 后重新上传"


class Compound:
    """A compound file in memory. Raises Unreadable where its chains lead nowhere."""

    def __init__(self, path: Path) -> None:
        """Read the file and its directory."""
        self.data = path.read_bytes()
        try:
            self._open()
        except (struct.error, IndexError, ValueError) as error:
            raise Unreadable(DAMAGED) from error

    def _open(self) -> None:
        self.shift, self.small_shift = struct.unpack_from("<HH", self.data, 30)
        if self.shift not in (9, 12) or self.small_shift != 6:
            raise ValueError("sector size")
        (directory,) = struct.unpack_from("<I", self.data, 48)
        (small_table,) = struct.unpack_from("<I", self.data, 60)
        self.table = self._allocation()
        entries = self._chain(directory)
        self.entries = dict(
            self._entry(entries, place) for place in range(0, len(entries) - ENTRY + 1, ENTRY)
        )
        self.small_table = _numbers(self._chain(small_table)) if small_table < FREE else ()

    @property
    def names(self) -> set[str]:
        """The names of all streams and folders."""
        return set(self.entries)

    def stream(self, name: str) -> bytes:
        """The bytes of the stream called `name`."""
        try:
            start, size = self.entries[name]
            if size >= SMALL_LIMIT:
                return self._chain(start)[:size]
            root, root_size = self.entries["Root Entry"]
            return _joined(self._chain(root)[:root_size], start, self.small_table, self.small_shift, 0)[:size]
        except (IndexError, KeyError, ValueError) as error:
            raise Unreadable(DAMAGED) from error

    def _allocation(self) -> tuple[int, ...]:
        """The table that says which sector follows which."""
        sectors = list(struct.unpack_from("<109I", self.data, 76))
        (more,) = struct.unpack_from("<I", self.data, 68)
        seen = 0
        while more < FREE and seen <= len(self.data) >> self.shift:
            *numbers, more = _numbers(self._sector(more))
            sectors += numbers
            seen += 1
        return _numbers(b"".join(self._sector(number) for number in sectors if number < FREE))

    def _sector(self, number: int) -> bytes:
        start = number + 1 << self.shift
        if start >= len(self.data):
            raise ValueError("sector beyond the end")
        return self.data[start : start + (1 << self.shift)]

    def _chain(self, start: int) -> bytes:
        return _joined(self.data, start, self.table, self.shift, 1)

    @staticmethod
    def _entry(entries: bytes, place: int) -> tuple[str, tuple[int, int]]:
        (length,) = struct.unpack_from("<H", entries, place + 64)
        name = entries[place : place + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        start, size = struct.unpack_from("<II", entries, place + 116)
        return name, (start, size)


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _joined(data: bytes, start: int, table: tuple[int, ...], shift: int, offset: int) -> bytes:
    """The sectors of a chain one after the other; ValueError when it runs in a circle or off the end."""
    pieces: list[bytes] = []
    while start < FREE:
        if len(pieces) > len(table) or start + offset << shift >= len(data):
            raise ValueError("broken chain")
        pieces.append(data[start + offset << shift : start + offset + 1 << shift])
        start = table[start]
    return b"".join(pieces)
