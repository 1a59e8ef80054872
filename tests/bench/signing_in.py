"""How long a wrong password takes, for a name that exists and for one that does not."""

import tempfile
import time
from pathlib import Path
from statistics import quantiles

from db import passwords, schema, sign_ins
from db.engine import transaction
from db.models import Role
from tests.conftest import bound
from tests.make import make_account

TRIES = 40


def seconds(name: str, address: str) -> float:
    """One wrong password, as the sign-in form handles it."""
    start = time.perf_counter()
    with transaction() as session:
        password_hash = sign_ins.credential(session, name, address)
    assert not passwords.matches("not it", password_hash)
    return time.perf_counter() - start


def main() -> None:
    """Print both distributions; known and unknown names take turns."""
    with tempfile.TemporaryDirectory() as folder, bound(f"sqlite:///{Path(folder)}/bench.db"):
        schema.upgrade()
        with transaction() as session:
            for number in range(TRIES):
                # Of the product's own cost, unlike the hash of the tests.
                account = make_account(session, Role.reviewer, username=f"known{number}")
                account.password_hash = passwords.DUMMY_HASH
        taken: dict[str, list[float]] = {"known": [], "nobody": []}
        for number in range(TRIES):
            for kind, times in taken.items():
                times.append(seconds(f"{kind}{number}", f"10.0.{len(kind)}.{number}"))
    for kind, times in taken.items():
        low, middle, high = quantiles(times, n=4)
        print(f"{kind:8} quartiles {low * 1000:.0f} {middle * 1000:.0f} {high * 1000:.0f} ms")


if __name__ == "__main__":
    main()
