"""How much one visitor may ask for. The journeys of tests/e2e, with these figures in force, meet none.

Streamlit starts a thread for each message; 60 at once kept everybody waiting for eleven seconds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True)
class Limit:
    """`burst` at once, then `rate` a second."""

    rate: float
    burst: float


# Messages of one page: quick clicks and keys come in bursts, nobody works at five a second.
MESSAGES = Limit(5, 25)
# Messages of all pages of one sign-in, or of all who are not signed in at one address.
MESSAGES_TOGETHER = Limit(10, 60)
# Pages opened: a browser that restores its tabs, an office that signs in at eight o'clock.
OPENINGS = Limit(2, 120)
# Pages open at once.
PAGES = 40
# Bytes and files sent. A ledger file or proof has 20 MB at most, the licence of who has no account yet 10.
SENT, SENT_FILES = Limit(1 * MB, 200 * MB), Limit(0.2, 100)
SENT_ANONYMOUSLY, FILES_ANONYMOUSLY = Limit(0.05 * MB, 60 * MB), Limit(0.02, 20)
LARGEST, LARGEST_ANONYMOUS = 20 * MB, 10 * MB
# Sign-ins begun and ended from one address, which an office may share at eight o'clock.
SIGN_INS = Limit(2, 240)
# Tries to sign in by the provider from one address; each makes this server ask it twice.
PROVIDER = Limit(1, 120)
# Names in one request for places to send files to.
NAMES = 20


class Buckets:
    """What is left of a limit for each visitor, by any key."""

    # Whoever changes addresses to fill this memory empties it for all, which refuses nobody.
    MOST = 20_000

    def __init__(self, limit: Limit, clock: Callable[[], float] = time.monotonic):
        self.limit, self.clock = limit, clock
        self.left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, amount: float = 1) -> bool:
        """Whether so much is left; if so it is taken, if not nothing is."""
        now = self.clock()
        if len(self.left) >= self.MOST and key not in self.left:
            self.left.clear()
        left, at = self.left.get(key, (self.limit.burst, now))
        left = min(self.limit.burst, left + (now - at) * self.limit.rate)
        enough = left >= amount
        self.left[key] = (left - amount if enough else left, now)
        return enough
