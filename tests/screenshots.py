"""`make screenshots`: the pictures of the documentation, of the demo bureau in a real browser."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests import browser

FOLDER = Path(__file__).parent.parent / "docs" / "images"
NOW = "2026-11-23T09:30:00+08:00"


def main() -> None:
    """Fill a demo bureau, walk through it, and keep a picture of each screen."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        environment = os.environ | {"DATABASE_URL": url, "YUEJIAN_NOW": NOW}
        for command in ("upgrade", "demo"):
            subprocess.run([sys.executable, "-m", "db", command], env=environment, check=True)
        with browser.serve(url, YUEJIAN_NOW=NOW, YUEJIAN_DEMO="1") as address, browser.launch() as chromium:
            for username, pictures in walk().items():
                with browser.visitor(chromium, viewport={"width": 1280, "height": 720}) as page:
                    sign_in(page, address, username)
                    for name, path in pictures.items():
                        page.goto(address + path)
                        browser.settled(page)
                        page.wait_for_timeout(800)
                        page.screenshot(path=FOLDER / f"{name}.png")


def walk() -> dict[str, dict[str, str]]:
    """Pictures by account: name of the picture and address of the page."""
    from db.demo import SHOWCASE

    names = {role: username for username, role, _ in SHOWCASE}
    return {
        names["企业用户"]: {"ledger": "/ledger"},
        names["监管人员（全市）"]: {"board": "/board"},
        names["审核人员"]: {"registrations": "/registrations"},
    }


def sign_in(page: Page, address: str, username: str) -> None:
    """Sign in with the demo's password."""
    from db.demo import PASSWORD

    page.goto(address)
    browser.settled(page)
    page.get_by_label("账号", exact=True).fill(username)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    page.get_by_text("退出登录").wait_for()
    browser.settled(page)


if __name__ == "__main__":
    main()
