"""常用视图: a list as one account likes it, its filters and its columns, under a name of its own.

A view grants nothing: its filters narrow what its owner may see anyway. Nobody else can ask for it. The view
without a name holds the columns an account sees when no view is open.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from db import reach
from db.errors import HIDDEN, NotFound, Refused
from db.ledger import Filters
from db.ledger_filters import READERS
from db.models import OWNERS, Account, SavedView

MOST = 20
NAME = 40
TAKEN = "已有名为“{}”的视图，请换一个名称"
PLACES = {"ledger": OWNERS, "instruments": reach.BUREAU}
# What may stand in a list, in the order of the chooser; `validity` is 有效期至 with what it means today.
COLUMNS = (
    *("name", "serial_number", "enterprise", "validity", "valid_until", "status", "line_status", "category"),
    *("kind", "specification", "measuring_range", "accuracy_class", "manufacturer", "origin", "division"),
    *("location", "purpose", "delivery_mode", "conclusion", "verified_on", "purchased_on", "quantity"),
    *("instrument_type", "remark"),
)
# What stands there unless somebody chooses.
USUAL = {
    "ledger": (
        *("name", "serial_number", "validity", "status", "line_status", "kind", "specification"),
        *("location", "division", "manufacturer", "purpose", "delivery_mode"),
    ),
    "instruments": (
        *("name", "serial_number", "enterprise", "kind", "specification", "validity", "status"),
        *("line_status", "division", "location", "purpose", "delivery_mode"),
    ),
}
NAMES = {"ledger": tuple(name for name in READERS if name != "enterprise"), "instruments": tuple(READERS)}


def read_filter(name: str, asked: str) -> dict[str, Any] | None:
    """One filter as `Filters` calls it, from its name and value in an address; None when that is nonsense."""
    try:
        return READERS[name](asked)
    except (KeyError, ValueError):
        return None


def read_filters(place: str, asked: Mapping[str, str]) -> Filters:
    """The filters of a list from the names and values of an address; what is nonsense narrows nothing."""
    found: dict[str, Any] = {}
    for name in NAMES[place]:
        if value := asked.get(name):
            found |= read_filter(name, value) or {}
    return Filters(**found)


def mine(session: Session, place: str, *, by: Account) -> tuple[list[SavedView], list[str]]:
    """The views of the asker for a list, by name, and the columns it has when none of them is open."""
    rows = session.exec(_here(place, by).order_by(SavedView.name)).all()
    kept = next((row.columns for row in rows if not row.name), USUAL[place])
    return [row for row in rows if row.name], [one for one in kept if one in COLUMNS]


def add(
    session: Session,
    place: str,
    name: str,
    filters: Mapping[str, str],
    columns: Sequence[str],
    *,
    by: Account,
) -> SavedView:
    """Keep a list as it stands under a new name; raises Refused for a wrong value, or one view too many."""
    _check_place(place, by)
    # Whoever adds one at the same moment waits here, and then counts this one too.
    session.exec(select(Account.id).where(Account.id == by.id).with_for_update(key_share=True)).one()
    if sentence := problem(session, place, name, by=by):
        raise Refused(sentence)
    view = SavedView(
        account_id=by.id,
        place=place,
        name=_tidy(name),
        filters=_filters(place, filters),
        columns=_columns(columns),
    )
    return _saved(session, view)


def change(
    session: Session, view_id: int, filters: Mapping[str, str], columns: Sequence[str], *, by: Account
) -> SavedView:
    """Let a view of the asker's hold the list as it stands now."""
    view = _find(session, view_id, by)
    return _saved(session, view, filters=_filters(view.place, filters), columns=_columns(columns))


def rename(session: Session, view_id: int, name: str, *, by: Account) -> SavedView:
    """Give a view of the asker's another name."""
    view = _find(session, view_id, by)
    if sentence := problem(session, view.place, name, by=by, view_id=view.id):
        raise Refused(sentence)
    return _saved(session, view, name=_tidy(name))


def problem(session: Session, place: str, name: str, *, by: Account, view_id: int | None = None) -> str:
    """Why `add` would refuse a view of that name, or `rename` that of `view_id`; empty if it would not."""
    views = session.exec(_here(place, by).where(SavedView.name != "")).all()
    if view_id is None and len(views) >= MOST:
        return f"常用视图最多 {MOST} 个，请先删除不用的"
    name = _tidy(name)
    if not name:
        return "请填写视图名称"
    if HIDDEN.search(name):
        return "视图名称含有不可见的控制字符，请重新输入"
    if len(name) > NAME:
        return f"视图名称最多 {NAME} 个字，请缩短"
    is_taken = any(view.name == name and view.id != view_id for view in views)
    return TAKEN.format(name) if is_taken else ""


def delete(session: Session, view_id: int, *, by: Account) -> None:
    """Forget a view of the asker's."""
    session.delete(_find(session, view_id, by))
    session.flush()


def make_default(session: Session, view_id: int, is_default: bool = True, *, by: Account) -> SavedView:
    """Let a view open by itself, instead of the one that did; or no longer."""
    view = _find(session, view_id, by)
    session.exec(update(SavedView).where(*_owned(view.place, by)).values(is_default=False))
    return _saved(session, view, is_default=is_default)


def keep_columns(session: Session, place: str, columns: Sequence[str], *, by: Account) -> None:
    """Keep the columns the asker wants to see when no view is open."""
    _check_place(place, by)
    kept = session.exec(_here(place, by).where(SavedView.name == "")).first()
    kept = kept or SavedView(account_id=by.id, place=place, name="")
    _saved(session, kept, columns=_columns(columns))


def _owned(place: str, by: Account) -> list[Any]:
    return [col(SavedView.account_id) == by.id, col(SavedView.place) == place]


def _here(place: str, by: Account) -> Any:
    _check_place(place, by)
    return select(SavedView).where(*_owned(place, by))


def _check_place(place: str, by: Account) -> None:
    if place not in PLACES:
        raise NotFound("列表")
    reach.allow(by, *PLACES[place])


def _find(session: Session, view_id: int, by: Account) -> SavedView:
    here = select(SavedView).where(SavedView.id == view_id, SavedView.account_id == by.id)
    view = session.exec(here.where(SavedView.name != "")).first()
    if view is None:
        raise NotFound("常用视图")
    _check_place(view.place, by)
    return view


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _filters(place: str, asked: Mapping[str, str]) -> dict[str, str]:
    for name, value in asked.items():
        is_known = name in NAMES[place] and isinstance(value, str)
        if not is_known or (value and read_filter(name, value) is None):
            raise Refused("筛选条件有误，请重新选择后再保存视图")
    return {name: value for name, value in asked.items() if value}


def _columns(chosen: Sequence[str]) -> list[str]:
    if not chosen:
        raise Refused("请至少选择一列")
    if len(set(chosen)) != len(chosen) or not set(chosen) <= set(COLUMNS):
        raise Refused("所选的列有误，请重新选择")
    return list(chosen)


def _saved(session: Session, view: SavedView, **values: Any) -> SavedView:
    name = values.get("name", view.name)
    try:
        with session.begin_nested():
            session.add(view.sqlmodel_update(values))
    except IntegrityError:
        raise Refused(TAKEN.format(name)) from None
    return view
