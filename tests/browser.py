"""A real Chromium, and a real server of the product for it to visit."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--lang=zh-CN",
]
VISITOR = {
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
    "viewport": {"width": 1280, "height": 720},
}
# The script has ended, and no widget's own code is still on its way.
SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]:not(:has([data-testid="stSkeleton"]))'

# Base URL of each server that runs now, and the file it writes its log to.
_logs: dict[str, Path] = {}
_playwrights: list[Playwright] = []


def chromium() -> str:
    """Path of the browser: the one that CHROMIUM names, or the first one installed."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise RuntimeError("Chromium was not found: run tests/setup.sh to install it.")


@contextmanager
def launch(*flags: str, **options: Any) -> Iterator[Browser]:
    """Start Chromium without a window; `options` go to Playwright's `launch`."""
    with _playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags], **options)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _playwright() -> Iterator[Playwright]:
    """The one that runs already, else one for a while: a thread cannot start two."""
    if _playwrights:
        yield _playwrights[0]
        return
    with sync_playwright() as started:
        _playwrights.append(started)
        try:
            yield started
        finally:
            _playwrights.clear()


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a page for one more visitor, who shares no cookie with the others and lives in China."""
    context = browser.new_context(**{**VISITOR, **options})
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def serve(database_url: str, script: str = "app.py", port: int = 0, **env: str) -> Iterator[str]:
    """Serve `script` from `database_url` on a free port and yield its base URL, once it answers."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="yuejian-web-") as folder:
        _logs[url] = Path(folder) / "log"
        process = _start(script, port, _logs[url], {**os.environ, **env, "DATABASE_URL": database_url})
        try:
            _wait_for(process, url)
            yield url
        except BaseException:
            print(log(url))
            raise
        finally:
            _stop(process)
            del _logs[url]


def settled(page: Page, timeout: float = 30_000) -> None:
    """Wait at most `timeout` milliseconds until the page is drawn; right after a click it still is."""
    page.wait_for_selector(SETTLED, timeout=timeout)


def log(url: str) -> str:
    """What the server at this base URL has written so far."""
    return _logs[url].read_text(errors="replace")


def add_logs(report: pytest.TestReport) -> None:
    """Put the log of each running server into the report of a test that failed."""
    if report.failed:
        report.sections += [(f"log of {url}", log(url)) for url in _logs]


def _start(script: str, port: int, log_file: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    # Ends with the tests even if they are killed.
    command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "streamlit", "run", script]
    command += ["--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with log_file.open("wb") as output:
        return subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )


def _wait_for(process: subprocess.Popen[bytes], url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(f"{url}/_stcore/health"):
        if process.poll() is not None:
            raise RuntimeError("The server ended before it answered: its log tells why.")
        if time.monotonic() > deadline:
            raise RuntimeError(f"The server did not answer within {seconds:.0f} seconds: its log tells why.")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    # Without the proxy of the environment, which knows nothing of this machine's ports.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
