"""What this server has offered to a visitor's open pages: files to fetch, places to send files to.

A visitor gets and sends nothing else. So nobody fetches another's file by its address, nobody overwrites
another's upload, and both end with the page.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

# Addresses within messages to the browser, cut where their length is known: a letter may follow.
OFFERED = re.compile(rb"/media/[0-9a-f]{32}|/_stcore/upload_file/[0-9a-f-]{36}/[0-9a-f-]{36}")
# Of one page; the oldest are forgotten first.
MOST = 2_000

_pages: dict[str, list[dict[str, None]]] = {}


@contextmanager
def page(holder: str) -> Iterator[dict[str, None]]:
    """The offers to one page of that visitor, as long as it is open."""
    mine: dict[str, None] = {}
    _pages.setdefault(holder, []).append(mine)
    try:
        yield mine
    finally:
        # By identity: two pages without offers are equal.
        left = [one for one in _pages[holder] if one is not mine]
        if left:
            _pages[holder] = left
        else:
            del _pages[holder]


def note(offers: dict[str, None], message: bytes) -> None:
    """Remember the addresses in a message that goes to the page."""
    for found in OFFERED.finditer(message):
        offers[found.group().decode()] = None
        if len(offers) > MOST:
            del offers[next(iter(offers))]


def holds(holder: str, path: str) -> bool:
    """Whether an open page of that visitor has been offered this address."""
    found = OFFERED.match(path.encode())
    # After the digest of a file stands only its ending.
    if found is None or "/" in path[found.end() :]:
        return False
    key = found.group().decode()
    return any(key in offers for offers in _pages.get(holder, ()))
