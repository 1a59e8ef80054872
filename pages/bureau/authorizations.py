"""授权管理: which institution may verify what, where and until when."""

from datetime import timedelta

import streamlit as st

from db import clock, institutions
from db.models import Role
from pages.parts import choices, look, tables
from pages.parts.account import acting, looking, signed_in

COLUMNS = {
    "institution": "技术机构",
    "division": "授权区域",
    "category": "项别",
    "kind": "种别",
    "valid_from": "有效期起",
    "valid_until": "有效期止",
    "left": "剩余",
    "note": "备注",
}
WINDOWS = {None: "全部", 90: "90 天内到期或已过期", 30: "30 天内到期或已过期"}


def left(days: int) -> str:
    """How long an authorization still runs."""
    return look.mark("已超期") if days < 0 else f"{days} 天"


signed_in(Role.supervisor)
look.header(
    "授权管理",
    "任务指派按“区域 + 项别或种别 + 有效期”匹配：先区县，再地级，再省级。授权变动后，待预约的器具自动重新指派。",
)

with looking(Role.supervisor) as (session, supervisor):
    places = {row.id: row for row in institutions.page(session, by=supervisor)}
    with st.container(horizontal=True):
        institution_id = st.selectbox(
            "技术机构", [None, *places], format_func=lambda id: places[id].name if id else "全部", width=320
        )
        asked = st.query_params.get("within", "")
        window = st.selectbox(
            "到期", list(WINDOWS), index=1 if asked == "90" else 0, format_func=WINDOWS.get, width=240
        )
    rows = institutions.authorizations(
        session, by=supervisor, institution_id=institution_id, expiring_within=window
    )

shown = [{**row.__dict__, "kind": row.kind or "（整个项别）", "left": left(row.days_left)} for row in rows]
if rows:
    picked = tables.choosing(shown, COLUMNS, f"granted-{institution_id}-{window}", "授权列表", is_many=False)
else:
    picked = []
    look.empty("没有符合条件的授权，可在下方新增")

if picked:
    row = picked[0]
    with st.container(border=True):
        st.subheader("修改授权", anchor=False)
        st.text(f"{row['institution']} · {row['division']} · {row['category']} · {row['kind']}")
        first, last = st.columns(2)
        valid_from = first.date_input("有效期起", row["valid_from"], key=f"from-{row['id']}-{row['version']}")
        valid_until = last.date_input(
            "有效期止", row["valid_until"], key=f"until-{row['id']}-{row['version']}"
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            is_changed = st.button("保存有效期", type="primary", key=f"change-{row['id']}")
            is_sure = st.checkbox("确认撤销", key=f"sure-{row['id']}")
            is_revoked = st.button("撤销授权", key=f"revoke-{row['id']}", disabled=not is_sure)
    if is_changed:
        with acting(Role.supervisor) as (session, supervisor):
            placed = institutions.change_validity(
                session,
                row["id"],
                row["version"],
                by=supervisor,
                valid_from=valid_from,
                valid_until=valid_until,
            )
        look.flash(f"授权有效期已保存，又有 {placed} 台器具分配成功")
        st.rerun()
    if is_revoked:
        with acting(Role.supervisor) as (session, supervisor):
            remaining = institutions.revoke(session, row["id"], row["version"], by=supervisor)
        look.flash(f"授权已撤销；该机构还有 {remaining} 台未办结器具，仍由其办理或转派")
        st.rerun()

with st.expander("新增授权", icon=":material/add:", expanded=bool(st.query_params.get("kind"))):
    today = clock.today()
    wanted = st.query_params.get("kind", "")
    names = choices.kinds()
    target = st.selectbox(
        "技术机构 *",
        list(places),
        index=None,
        format_func=lambda id: places[id].name,
        placeholder="请选择",
        key="grant-institution",
    )
    area = choices.division("grant-area", "授权区域 *", st.query_params.get("division"), "可只选到省或市")
    is_whole = st.segmented_control(
        "授权范围", ["整个项别", "一个种别"], default="一个种别" if wanted else "整个项别"
    )
    categories = {row.category_id: row.category for row in names}
    if is_whole == "一个种别":
        kind_id = choices.kind("grant", int(wanted) if wanted.isdecimal() else None)
        category_id = None
    else:
        kind_id = None
        category_id = st.selectbox(
            "器具项别 *",
            list(categories),
            index=None,
            format_func=categories.get,
            placeholder="请选择",
            key="grant-whole",
        )
    first, last = st.columns(2)
    valid_from = first.date_input("有效期起 *", today, key="grant-from")
    valid_until = last.date_input("有效期止 *", today + timedelta(days=3 * 365), key="grant-until")
    note = st.text_input("备注", max_chars=500, key="grant-note", placeholder="例如授权文号")
    if st.button("确定", type="primary", key="grant"):
        with acting(Role.supervisor) as (session, supervisor):
            _, placed = institutions.authorize(
                session,
                target or 0,
                by=supervisor,
                division_code=area or "",
                valid_from=valid_from,
                valid_until=valid_until,
                category_id=category_id,
                kind_id=kind_id,
                note=note,
            )
        look.flash(f"授权已保存，又有 {placed} 台器具分配成功")
        st.rerun()
