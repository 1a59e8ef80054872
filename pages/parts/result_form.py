"""登记结果: the form for one line, or for several with the same result."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import clock, reference, verifications
from db.models import Conclusion, Role, VerificationType
from pages.parts import choices, look
from pages.parts.account import acting

BY_SYSTEM = "留空由系统编号"


def draw(picked: Sequence[Any], key: str) -> None:
    """The form for the lines picked, and 登记结果."""
    kinds = {line.kind_id for line in picked}
    if len(kinds) > 1:
        st.warning("选中的器具种别不同，请分开登记", icon=":material/rule:")
        return
    kind = next((row for row in choices.kinds() if row.id in kinds), None)
    with st.container(border=True):
        st.subheader(f"登记结果（{len(picked)} 台）", anchor=False)
        if kind:
            st.caption(look.plain(f"{kind.category} · {kind.name}"))
        result = _fields(kind, picked, key)
        is_sent = st.button("登记结果", type="primary", key=f"{key}-record")
    if is_sent:
        with acting(Role.institution) as (session, clerk):
            made = verifications.record(session, [line.id for line in picked], result, by=clerk)
            numbers = "、".join(one.certificate_number for one in made[:3]) + (" 等" if len(made) > 3 else "")
        look.flash(f"已登记 {len(made)} 台，编号 {numbers}")
        st.rerun()


def _fields(kind: reference.KindRow | None, picked: Sequence[Any], key: str) -> verifications.Result:
    first, second, third = st.columns(3)
    verification_type = first.selectbox(
        "检定类别 *",
        list(VerificationType),
        index=1,
        format_func=lambda one: one.value,
        key=f"{key}-type",
    )
    verified_on = second.date_input(
        "检定日期 *", clock.today(), max_value=clock.today(), format="YYYY-MM-DD", key=f"{key}-on"
    )
    conclusion = third.segmented_control(
        "结论 *",
        list(Conclusion),
        default=Conclusion.passed,
        format_func=lambda one: one.value,
        key=f"{key}-conclusion",
    )
    regulation = first.text_input(
        "检定依据 *", kind.regulations if kind else "", max_chars=120, key=f"{key}-regulation"
    )
    verifier = second.text_input("检定员 *", max_chars=60, key=f"{key}-verifier")
    checker = third.text_input("核验员 *", max_chars=60, key=f"{key}-checker")
    standard = first.text_input("标准装置", max_chars=200, key=f"{key}-standard")
    number = third.text_input(
        "证书编号" if conclusion != Conclusion.rejected else "检定结果通知书编号",
        max_chars=60,
        placeholder=BY_SYSTEM,
        disabled=len(picked) > 1,
        key=f"{key}-number",
    )
    with second:
        valid_until = _validity(kind, verified_on, conclusion, key)
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
        certificate_number="" if len(picked) > 1 else number,
        remark=remark,
    )


def _validity(kind: Any, verified_on: Any, conclusion: Any, key: str) -> Any:
    if conclusion == Conclusion.rejected:
        st.caption("不合格：发检定结果通知书，不填有效期")
        return None
    default = verifications.default_valid_until(kind, verified_on) if kind and verified_on else None
    shown = st.date_input(
        "有效期至" + ("" if default else " *"), default, format="YYYY-MM-DD", key=f"{key}-until-{verified_on}"
    )
    st.caption(
        "按检定周期推算：检定日期加周期减一天"
        if default
        else "目录没有给出该种别的检定周期，请按检定规程填写"
    )
    return shown
