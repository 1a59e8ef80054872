"""器具新增, 复制 and 修改: the guide's form, field by field."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db import clock, fields, instrument_fields, reference
from db.models import Dataset, DeliveryMode, InstrumentType, Origin, Purpose
from pages.parts import choices, look
from pages.parts.account import looking

NOTES = (
    "请准确填写“使用地点行政区划”“器具项别”“器具种别”，系统将据此进行检定任务指派。",
    "新增和复制新器具时请谨慎填写“有效期至”，该信息一旦保存不可修改，此后只随检定结果变动；确有错误的，在器具详情中申请更正。",
)
# A copy is another instrument: what names one of them does not go along.
OWN = ("serial_number", "valid_until")
HINTS = {
    "name": "例如 压力表",
    "specification": "例如 (0-1) MPa",
    "measuring_range": "例如 (0-1) MPa",
    "accuracy_class": "例如 1.6",
    "serial_number": "器具铭牌上的编号",
    "manufacturer": "铭牌上的厂家全称",
    "location": "例如 锅炉房",
}
CONFIRM = "valid_until_confirmed"


def start_of(row: Any, is_copy: bool) -> dict[str, Any]:
    """What the form shows at first for the ledger row `row`."""
    values = {field: getattr(row, field) for field in instrument_fields.LABELS if hasattr(row, field)}
    return values | dict.fromkeys(OWN) if is_copy else values


class Form:
    """One form on the screen: what is typed in it, and a place under each field for what is wrong there.

    `key` names its widgets, which show `start` at first, or what was `kept` of it; `is_locked` closes
    有效期至. Only what others hang on reruns the page: a rerun closes the list somebody has just opened after
    typing elsewhere.
    """

    def __init__(self, key: str, start: Mapping[str, Any], kept: Mapping[str, Any], is_locked: bool = False):
        self.key, self.start, self.is_locked = key, start, is_locked
        self.shown = {**start, **kept}
        self.typed: dict[str, Any] = {}
        self.places: dict[str, DeltaGenerator] = {}

    def draw(self) -> None:
        """The fields in the guide's order, two beside each other."""
        with st.container(border=True):
            self._pair(("name", self._text), ("instrument_type", self._choice(InstrumentType)))
            self._kind()
            self._pair(("specification", self._text), ("measuring_range", self._text))
            self._pair(("accuracy_class", self._text), ("serial_number", self._text))
            self._pair(("manufacturer", self._text), ("origin", self._choice(Origin)))
            self._division()
            self._pair(("location", self._text), ("purchased_on", self._day(clock.today())))
            self._pair(("quantity", self._quantity), ("purpose", self._choice(Purpose)))
            self._pair(("delivery_mode", self._choice(DeliveryMode)), ("valid_until", self._valid_until))
            self._put("remark", self._text)
        for note in NOTES:
            st.caption(f"说明：{note}")

    def now(self) -> dict[str, Any]:
        """What is typed, also since the page was drawn."""
        return {
            field: st.session_state.get(f"{self.key}-{field}", value) for field, value in self.typed.items()
        }

    def say(self, problems: Mapping[str, str]) -> None:
        """Write each problem under its field."""
        for field in self.places.keys() & problems.keys():
            self.places[field].markdown(f":red[:material/error: {look.plain(problems[field])}]")

    def _pair(self, *two: tuple[str, Callable[[str], Any]]) -> None:
        for column, (field, widget) in zip(st.columns(2), two, strict=True):
            with column:
                self._put(field, widget)

    def _put(self, field: str, widget: Callable[[str], Any]) -> None:
        self.typed[field] = widget(field)
        self.places[field] = st.container()

    def _label(self, field: str) -> str:
        return instrument_fields.LABELS[field] + (" *" if field in instrument_fields.REQUIRED else "")

    def _text(self, field: str) -> str:
        return st.text_input(
            self._label(field),
            self.shown.get(field) or "",
            max_chars=instrument_fields.TEXTS[field],
            placeholder=HINTS.get(field),
            on_change="ignore",
            key=f"{self.key}-{field}",
        )

    def _choice(self, enum: Any) -> Callable[[str], Any]:
        def widget(field: str) -> Any:
            options, value = list(enum), self.shown.get(field)
            return st.selectbox(
                self._label(field),
                options,
                index=options.index(value) if value in options else None,
                placeholder="请选择",
                format_func=lambda one: one.value,
                on_change="ignore",
                key=f"{self.key}-{field}",
            )

        return widget

    def _day(self, latest: date) -> Callable[[str], Any]:
        def widget(field: str) -> Any:
            value = self.shown.get(field)
            return st.date_input(
                self._label(field),
                value,
                min_value=fields.EARLIEST,
                max_value=max(latest, value or latest),
                format="YYYY-MM-DD",
                disabled=field == "valid_until" and self.is_locked,
                on_change="rerun" if field == "valid_until" else "ignore",
                key=f"{self.key}-{field}",
            )

        return widget

    def _quantity(self, field: str) -> int:
        value = self.shown.get(field) or 1
        most = instrument_fields.MOST_QUANTITY
        return st.number_input(
            self._label(field), 1, most, value, on_change="ignore", key=f"{self.key}-{field}"
        )

    def _kind(self) -> None:
        self._put("kind_id", lambda field: choices.kind(self.key, self.shown.get(field)))
        with looking() as (session, _):
            edition = reference.edition(session, Dataset.catalog)
        if not edition.is_official:
            st.caption(f":material/info: {look.plain(edition.note)}")

    def _division(self) -> None:
        def widget(field: str) -> str | None:
            return choices.division(f"{self.key}-division", self._label(field), self.shown.get(field))

        self._put("division_code", widget)

    def _valid_until(self, field: str) -> Any:
        day = self._day(fields.LATEST)(field)
        if self.is_locked:
            st.caption(":material/lock: 已保存，不可修改，只随检定结果变动；确有错误请在详情中“申请更正”")
        elif day is None:
            st.caption("没有检定证书的请留空")
        else:
            st.checkbox(f"已核对：有效期至 {day:%Y-%m-%d}，保存后不可修改", key=f"{self.key}-{CONFIRM}-{day}")
        return day

    @property
    def is_validity_confirmed(self) -> bool:
        """Whether a day that cannot be changed once saved, if one is typed, has been confirmed."""
        day = self.typed["valid_until"]
        return self.is_locked or day is None or st.session_state.get(f"{self.key}-{CONFIRM}-{day}", False)
