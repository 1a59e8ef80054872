"""器具新增, 复制 and 修改: the guide's form, field by field."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from db import clock, instruments, reference
from db.models import Dataset, DeliveryMode, InstrumentType, Origin, Purpose
from pages.parts import choices, look
from pages.parts.account import looking

NOTES = (
    "请准确填写“使用地点行政区划”、“器具项别”、“器具种别”信息，系统将据此进行检定任务指派。",
    "新增和复制新器具的时候请谨慎填写“有效期至”信息，该信息一旦保存不可修改。",
)
# A copy is another instrument: what names one of them does not go along.
OWN = ("serial_number", "valid_until")


class Fields:
    """Draws the widgets of one form; `start` gives what they show at first, `key` names them."""

    def __init__(self, key: str, start: dict[str, Any]):
        self.key, self.start = key, start

    def text(self, field: str, placeholder: str = "") -> str:
        """A line of text."""
        return st.text_input(
            self.label(field),
            self.start.get(field) or "",
            max_chars=instruments.TEXTS[field],
            placeholder=placeholder,
            key=f"{self.key}-{field}",
        )

    def choice(self, field: str, enum: Any, default: Any = None) -> Any:
        """One of a closed list."""
        options = list(enum)
        value = self.start.get(field) or default
        return st.selectbox(
            self.label(field),
            options,
            index=options.index(value) if value in options else None,
            placeholder="请选择",
            format_func=lambda one: one.value,
            key=f"{self.key}-{field}",
        )

    def day(self, field: str, **options: Any) -> Any:
        """A day, or none."""
        return st.date_input(
            self.label(field),
            self.start.get(field),
            format="YYYY-MM-DD",
            key=f"{self.key}-{field}",
            **options,
        )

    def label(self, field: str) -> str:
        """The guide's name of a field, with a star where it is required."""
        return instruments.LABELS[field] + (" *" if field in instruments.REQUIRED else "")


def draw(key: str, start: dict[str, Any]) -> dict[str, Any]:
    """The form, two columns wide; what is typed in it, by field."""
    fields, typed = Fields(key, start), {}
    with looking() as (session, _):
        edition = reference.edition(session, Dataset.catalog)
    with st.container(border=True):
        left, right = st.columns(2, gap="medium")
        with left:
            typed["name"] = fields.text("name", "例如 压力表")
        with right:
            typed["instrument_type"] = fields.choice(
                "instrument_type", InstrumentType, InstrumentType.working
            )
        typed["kind_id"] = choices.kind(key, start.get("kind_id"))
        if not edition.is_official:
            st.caption(f":material/info: {edition.note}")
        for pair in (("specification", "measuring_range"), ("accuracy_class", "serial_number")):
            for column, field in zip(st.columns(2, gap="medium"), pair, strict=True):
                with column:
                    typed[field] = fields.text(field)
        left, right = st.columns(2, gap="medium")
        with left:
            typed["manufacturer"] = fields.text("manufacturer")
        with right:
            typed["origin"] = fields.choice("origin", Origin, Origin.domestic)
        typed["division_code"] = choices.division(
            f"{key}-division", "使用地点行政区划 *", start.get("division_code")
        )
        typed |= _rest(fields, start)
    return typed


def _rest(fields: Fields, start: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    rows: tuple[tuple[tuple[str, Callable[[], Any]], ...], ...] = (
        (
            ("location", lambda: fields.text("location", "例如 锅炉房")),
            ("purchased_on", lambda: fields.day("purchased_on", max_value=clock.today())),
        ),
        (
            (
                "quantity",
                lambda: st.number_input(
                    "器具数量", 1, 100_000, start.get("quantity") or 1, key=f"{fields.key}-quantity"
                ),
            ),
            ("purpose", lambda: fields.choice("purpose", Purpose)),
        ),
        (
            ("delivery_mode", lambda: fields.choice("delivery_mode", DeliveryMode)),
            ("valid_until", lambda: _validity(fields, start)),
        ),
    )
    for row in rows:
        for column, (field, widget) in zip(st.columns(2, gap="medium"), row, strict=True):
            with column:
                typed[field] = widget()
    typed["remark"] = fields.text("remark")
    return typed


def _validity(fields: Fields, start: dict[str, Any]) -> Any:
    locked = start.get("is_kept") and start.get("valid_until")
    return fields.day(
        "valid_until",
        disabled=bool(locked),
        help="已保存，只随检定结果变动" if locked else "一旦保存不可修改；没有检定证书的请留空",
    )


def notes() -> None:
    """The guide's two remarks under the form."""
    for note in NOTES:
        st.caption(f"说明：{note}")


def start_of(row: Any, is_copy: bool) -> dict[str, Any]:
    """What the form shows at first for the ledger row `row`."""
    values = {field: getattr(row, field, None) for field in instruments.LABELS}
    values["kind_id"], values["division_code"] = row.kind_id, row.division_code
    if is_copy:
        return values | dict.fromkeys(OWN)
    return values | {"is_kept": True}


def confirmations(typed: dict[str, Any], start: dict[str, Any], key: str) -> bool:
    """Ask for what cannot be undone; whether everything asked has been confirmed."""
    if typed["valid_until"] is None or start.get("valid_until"):
        return True
    day = typed["valid_until"]
    return st.checkbox(
        f"我已核对：有效期至 {day:%Y-%m-%d} 保存后不可修改", key=f"{key}-sure-{look.plain(str(day))}"
    )
