"""A throw-away PostgreSQL server, and fresh databases in it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

# Fast rather than durable; the bureau's own time zone, so that a moment written without one shows.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "max_wal_size": "128MB",
    "timezone": "Asia/Shanghai",
}
ATTEMPTS = 5
# Room for a server, its log of changes and a few copies of the template.
ROOM = 1 << 30


@contextmanager
def server(**settings: str) -> Iterator[str]:
    """Start an empty server and yield the SQLAlchemy URL of its superuser; then stop and remove it.

    `settings` are PostgreSQL's own, over those of SETTINGS.
    """
    folder = Path(tempfile.mkdtemp(prefix="yuejian-pg-", dir=_place()))
    try:
        _initialize(folder)
        process, url = _start(folder, SETTINGS | settings)
        try:
            yield url
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(base_url: str, template: str = "template1") -> Iterator[str]:
    """Create a copy of `template`, which nobody may be connected to, and yield its URL; then drop it."""
    name = f"yuejian_{uuid.uuid4().hex[:12]}"
    _execute(base_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield make_url(base_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(base_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def binary(name: str) -> str:
    """Path of a program of PostgreSQL's server, the newest where Debian keeps several."""
    versions = Path("/usr/lib/postgresql").glob("[0-9]*")
    newest_first = sorted(versions, key=lambda folder: float(folder.name), reverse=True)
    path = shutil.which(name, path=os.pathsep.join(str(folder / "bin") for folder in newest_first))
    path = path or shutil.which(name)
    if path is None:
        raise RuntimeError(f"PostgreSQL's {name} was not found: run tests/setup.sh to install the server.")
    return path


def _place() -> str:
    """Memory, where copying a database takes a twentieth of the time; the disk where there is too little."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if has_room else "/tmp"


def _initialize(folder: Path) -> None:
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_account())
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    command = [binary("initdb"), "--pgdata", str(folder / "data"), "--no-sync"]
    command += ["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    done = subprocess.run(_unprivileged(command), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"PostgreSQL's initdb failed: {done.stdout}{done.stderr}")


def _start(folder: Path, settings: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """Start on a free port; another process may take it first, hence the attempts."""
    for _ in range(ATTEMPTS):
        port = _free_port()
        command = [binary("postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                _unprivileged(command), cwd=folder, stdout=log, stderr=log, start_new_session=True
            )
        # Asked through its own socket: on the port, another server might answer.
        if _answers(process, f"postgresql+psycopg://postgres@/postgres?host={folder}&port={port}"):
            return process, f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        _stop(process)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")


def _answers(process: subprocess.Popen[bytes], url: str, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            _execute(url, "SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)  # at once: nothing in it is worth saving
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _execute(url: str, statement: str) -> None:
    libpq = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, autocommit=True) as connection:
        connection.execute(statement.encode())


def _unprivileged(command: list[str]) -> list[str]:
    """Run as an ordinary user, as the server asks, and end with this process even if that is killed."""
    wrapper = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        wrapper += ["--reuid", _account(), "--regid", str(pwd.getpwnam(_account()).pw_gid), "--clear-groups"]
    return [*wrapper, *command]


def _account() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
