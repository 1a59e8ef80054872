"""Pages as someone signed in sees and uses them, without a browser."""

import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from db import sign_ins
from db.engine import transaction
from db.models import Account
from pages.parts import account as parts
from pages.parts import navigation

APP = navigation.FOLDER.parent / "app.py"


def visit(patch: pytest.MonkeyPatch, account: Account, name: str, **query: str) -> AppTest:
    """The page of that name as `account` finds it, at an address with `query`."""
    with transaction() as session:
        token = sign_ins.redeem(
            session, sign_ins.begin(session, account.username, account.password_hash, "", "test")
        )
    patch.setattr(parts, "token", lambda: token)
    shown = AppTest.from_file(APP, default_timeout=60).run()
    shown.switch_page(str(navigation.FOLDER / navigation.BY_NAME[name].file))
    for key, value in query.items():
        shown.query_params[key] = value
    return sound(shown.run())


def sound(shown: AppTest) -> AppTest:
    """The page, which has not failed."""
    assert not shown.exception, shown.exception[0].message
    return shown


def tick(shown: AppTest, *rows: int, table: int = 0) -> AppTest:
    """Pick rows of a table by their places."""
    return _select(shown, table, {"rows": list(rows), "columns": [], "cells": []})


def click(shown: AppTest, row: int, column: str, table: int = 0) -> AppTest:
    """Click a cell of a table."""
    return _select(shown, table, {"rows": [], "columns": [], "cells": [(row, column)]})


def _select(shown: AppTest, table: int, selection: dict[str, list]) -> AppTest:
    key = shown.dataframe[table].proto.id.split("-", 2)[2]
    shown.session_state[key] = {"selection": selection}
    return sound(shown.run())


def press(shown: AppTest, label: str) -> AppTest:
    """Press the button of that name."""
    return sound(next(one for one in shown.button if one.label == label).click().run())


def write(shown: AppTest, label: str, text: str) -> None:
    """Type into the field of that label."""
    fields = [*shown.text_input, *shown.text_area]
    next(one for one in fields if one.label.removesuffix(" *") == label).input(text)


def choose(shown: AppTest, label: str, option: Any) -> AppTest:
    """Choose from the box of that label, by the value of the option."""
    box = next(one for one in shown.selectbox if one.label == label)
    return sound(box.select(option).run())


def said(shown: AppTest) -> str:
    """All the sentences on the page outside of tables."""
    parts = [*shown.header, *shown.caption, *shown.text, *shown.markdown, *shown.info, *shown.warning]
    return "\n".join(element.value for element in [*parts, *shown.error, *shown.toast, *shown.subheader])


def refusals(shown: AppTest) -> list[str]:
    """What the page has refused."""
    return [element.value for element in shown.error]


def address(shown: AppTest) -> dict[str, str]:
    """The query of the address."""
    values = shown.query_params.items()
    return {name: value[0] if isinstance(value, list) else value for name, value in values}


def total(shown: AppTest) -> int:
    """How many rows the list behind its pages has; 0 when it is empty."""
    found = re.search(r"共 ([\d,]+) 条", said(shown))
    return int(found[1].replace(",", "")) if found else 0
