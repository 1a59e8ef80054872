"""登记结果: the form for one line, or for several with the same result."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from db import clock, reference, verifications
from db.models import Conclusion, Role, VerificationMode, VerificationType
from pages.parts import choices, look
from pages.parts.account import acting

Kind = reference.KindRow | None


def draw(picked: Sequence[Any]) -> None:
    """The form for the lines picked, and 登记结果."""
    kinds = {line.kind_id for line in picked}
    if len(kinds) > 1:
        st.warning("选中的器具种别不同，检定依据和周期不同，请按种别分开登记", icon=":material/rule:")
        return
    kind = next((row for row in choices.kinds() if row.id in kinds), None)
    key = f"result-{hash(tuple(line.id for line in picked))}"
    with st.container(border=True):
        st.subheader(f"登记 {len(picked)} 台器具的结果", anchor=False)
        st.caption(look.plain(f"{kind.category} · {kind.name}") if kind else "未填写种别")
        result = _fields(kind, picked, key)
        is_sent = st.button("登记结果", type="primary", key=f"{key}-record")
    if is_sent:
        with acting(Role.institution) as (session, clerk):
            made = verifications.record(session, [line.id for line in picked], result, by=clerk)
        look.flash(_said(result.conclusion, [one.certificate_number for one in made]))
        st.rerun()


def _said(conclusion: Conclusion, numbers: list[str]) -> str:
    paper = "检定证书" if conclusion == Conclusion.passed else "检定结果通知书"
    listed = numbers[0] if len(numbers) == 1 else f"{numbers[0]} 至 {numbers[-1]}"
    return f"已登记 {len(numbers)} 台{conclusion}，{paper}编号 {listed}"


def _fields(kind: Kind, picked: Sequence[Any], key: str) -> verifications.Result:
    begun_on = max((line.begun_on for line in picked if line.begun_on), default=clock.today())
    is_first = all(not line.snapshot.get("valid_until") for line in picked)
    with st.grid(3, min_column_width=220, gap="small"):
        conclusion = st.segmented_control(
            "结论 *",
            list(Conclusion),
            default=Conclusion.passed,
            required=True,
            format_func=look.mark,
            key=f"{key}-conclusion",
        )
        verified_on = st.date_input(
            "检定日期 *",
            min_value=begun_on,
            max_value=clock.today(),
            format="YYYY-MM-DD",
            key=f"{key}-on",
        )
        valid_until = _validity(kind, verified_on, conclusion, key)
        verification_type = st.selectbox(
            "检定类别 *",
            list(VerificationType),
            index=0 if is_first else 1,
            format_func=lambda one: one.value,
            key=f"{key}-type",
        )
        regulation = st.text_input(
            "检定依据 *",
            kind.regulations if kind else "",
            max_chars=120,
            placeholder="例如 JJG 52-2013",
            key=f"{key}-regulation",
        )
        number = _number(conclusion, len(picked), key)
        verifier = _kept("检定员 *", 60, "result-verifier")
        checker = _kept("核验员 *", 60, "result-checker")
        standard = _kept("标准装置", 200, "result-standard")
    remark = st.text_input("备注", max_chars=500, key=f"{key}-remark")
    return verifications.Result(
        verification_type=verification_type,
        verified_on=verified_on,
        conclusion=conclusion,
        regulation=regulation,
        verifier=verifier,
        checker=checker,
        measurement_standard=standard,
        valid_until=valid_until,
        certificate_number=number,
        remark=remark,
    )


def _kept(label: str, most: int, key: str) -> str:
    """A field that keeps what was typed last: the same people and standards serve for many instruments."""
    return st.text_input(label, max_chars=most, key=key, persist_state="session")


def _number(conclusion: Conclusion, count: int, key: str) -> str:
    label = "证书编号" if conclusion == Conclusion.passed else "检定结果通知书编号"
    placeholder = "留空由系统编号" if count == 1 else "多台一起登记，由系统逐台编号"
    return st.text_input(
        label, max_chars=60, placeholder=placeholder, disabled=count > 1, key=f"{key}-number-{label}"
    )


def _validity(kind: Kind, verified_on: date, conclusion: Conclusion, key: str) -> date | None:
    """有效期至, prefilled where the catalog gives an interval, with how it is computed."""
    default = verifications.default_valid_until(kind, verified_on) if kind else None
    with st.container(gap="xxsmall"):
        if conclusion == Conclusion.rejected:
            st.caption("有效期至")
            st.text("不合格不填有效期，发检定结果通知书")
            return None
        is_once = kind is not None and kind.verification_mode == VerificationMode.first_only_scrap
        shown = st.date_input(
            "有效期至" if is_once else "有效期至 *",
            default,
            min_value=verified_on,
            format="YYYY-MM-DD",
            key=f"{key}-until-{verified_on}",
        )
        st.caption(_how(kind, default, is_once))
    return shown


def _how(kind: Kind, default: date | None, is_once: bool) -> str:
    if kind and default:
        is_rotated = kind.verification_mode == VerificationMode.first_only_rotate
        span = f"使用期限 {kind.limit_of_use_months}" if is_rotated else f"检定周期 {kind.interval_months}"
        return f"检定日期 + {span} 个月 − 1 天"
    if is_once:
        return "只做首次强制检定、失准报废的种别，可不填"
    return "目录没有给出该种别的检定周期，请按检定规程填写"
