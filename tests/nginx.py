"""nginx with the files of `deploy/` in front of a running server, under the name they are written for."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser import ROOT, free_port

NAME = "yuejian.example.gov.cn"
# What Debian's own nginx.conf is to a file in conf.d; every path that nginx writes to is in one folder.
MAIN = """
daemon off;
pid pid;
error_log error.log;
events {}
http {
    access_log access.log;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include conf.d/*.conf;
}
"""


@dataclass
class Proxy:
    """Where a visitor finds it, with TLS and without, and where it writes its logs."""

    url: str
    plain_url: str
    folder: Path

    def log(self, name: str) -> str:
        """What it has written to the log of that name."""
        return (self.folder / name).read_text()


@contextmanager
def serve(app_url: str, certificate: Path, port: int = 0) -> Iterator[Proxy]:
    """Run it in front of `app_url` on free ports, with the key and certificate in one file."""
    secure, plain = port or free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="yuejian-nginx-") as name:
        folder = Path(name)
        # Its workers are another user's when root starts it.
        folder.chmod(0o755)
        _configure(folder, urlsplit(app_url).netloc, certificate, secure, plain)
        check(folder)
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *_command(folder)], cwd=folder)
        try:
            _wait_for(process, secure)
            yield Proxy(f"https://{NAME}:{secure}", f"http://{NAME}:{plain}", folder)
        finally:
            process.terminate()
            process.wait(20)


def check(folder: Path) -> None:
    """`nginx -t`; an assertion with its words fails if it does not accept the files, or with a warning."""
    done = subprocess.run([*_command(folder), "-t"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr, done.stderr


def _configure(folder: Path, app: str, certificate: Path, secure: int, plain: int) -> None:
    """Lay the files out as on a server, with other ports and paths; each change must hit."""
    changes = {
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "/etc/ssl/yuejian/fullchain.pem": str(certificate),
        "/etc/ssl/yuejian/key.pem": str(certificate),
        "/var/log/nginx/": f"{folder}/",
    }
    (folder / "nginx.conf").write_text(MAIN)
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "yuejian.conf").write_text(_shipped("nginx.conf", changes))
    (folder / "yuejian-proxy.conf").write_text(_shipped("yuejian-proxy.conf", {"127.0.0.1:8501": app}))


def _shipped(name: str, changes: dict[str, str]) -> str:
    text = (ROOT / "deploy" / name).read_text()
    for old, new in changes.items():
        assert old in text, f"deploy/{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def _command(folder: Path) -> list[str]:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        raise RuntimeError("nginx was not found: run tests/setup.sh to install it.")
    return [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def _wait_for(process: subprocess.Popen[bytes], port: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
