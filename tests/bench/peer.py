"""Ours against django-import-export with its bulk settings, on the same workbook and SQLite.

Ours is run before and after the peer, which takes some minutes: the median of it counts.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from db import engine as engines
from db import schema
from db.engine import transaction
from tests import make
from tests.bench.importing import Cost, bound, watched, write_ledger

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent


def main() -> None:
    """Install the peer, run both in turn, print seconds and the ratio."""
    made = argparse.ArgumentParser(prog="python -m tests.bench.peer", description=__doc__)
    made.add_argument("--rows", type=int, default=100_000)
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="yuejian-peer-") as name:
        folder = Path(name)
        python = installed(folder / "venv")
        path = folder / "台账.xlsx"
        write_ledger(path, options.rows)
        script, data = str(FOLDER / "django_import.py"), str(ROOT / "catalog" / "data")
        before = [_ours(folder, path) for _ in range(2)]
        peer = watched([python, script, str(path), str(folder / "peer.db"), data], ROOT)
        ours = sorted([*before, _ours(folder, path)], key=lambda cost: cost.wall)[1]
        print(f"{options.rows:,} rows        wall s     cpu s      MB")
        for label, cost in (("django-import-export", peer), ("import-ledger", ours)):
            print(f"{label:20}{cost.wall:>8.2f}{cost.cpu:>10.2f}{cost.megabytes:>8.0f}")
        print(f"times as fast: {peer.wall / ours.wall:.1f} by wall, {peer.cpu / ours.cpu:.1f} by cpu")


def _ours(folder: Path, path: Path) -> Cost:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        return watched(command(Path(own), path), ROOT)


def installed(folder: Path) -> str:
    """The interpreter of an environment that holds the peer."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(FOLDER / "peer_requirements.txt")], check=True)
    return python


def command(folder: Path, path: Path) -> list[str]:
    """Our command on a fresh database with one enterprise."""
    bound(f"sqlite:///{folder}/ours.db")
    schema.upgrade()
    with transaction() as session:
        account = make.make_account(session)
        enterprise = session.get_one(make.Enterprise, account.enterprise_id)
    engines.engine().dispose()
    return [sys.executable, "-m", "db", "import-ledger", str(path), "--enterprise", enterprise.credit_code]


if __name__ == "__main__":
    main()
