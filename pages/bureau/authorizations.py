"""授权管理: which institution may verify what, where and until when."""

import streamlit as st

from db import authorizations, institutions
from db.models import Role
from pages.parts import authorization_form, look, narrowing, tables
from pages.parts.account import looking, signed_in

SIZE = 100
WINDOWS = {"90": "90 天内到期或已过期", "30": "30 天内到期或已过期"}
COLUMNS = {
    "institution": "技术机构",
    "division": "授权区域",
    "category": "项别",
    "kind": "种别",
    "valid_until": "有效期止",
    "left": "剩余",
    "valid_from": "有效期起",
    "note": "备注",
}


signed_in(Role.supervisor)
look.header(
    "授权管理",
    "指派按区域、项别或种别、有效期匹配，先区县，再地级，再省级。授权变动后，待预约的器具自动重新指派。",
)
with looking(Role.supervisor) as (session, supervisor):
    places = {row.id: row for row in institutions.page(session, by=supervisor)}
    if not places:
        look.empty("还没有技术机构，请先在“技术机构”中新增")
        st.stop()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {str(row.id): row.name for row in places.values()}
        asked = narrowing.choice("institution", "技术机构", named, width=320)
        within = narrowing.choice("within", "到期", WINDOWS, width=220)
    institution_id, days = int(asked) if asked else None, int(within) if within else None
    total = authorizations.count(session, by=supervisor, institution_id=institution_id, expiring_within=days)
    number = tables.pager(total, SIZE, f"granted-{asked}-{within}-pages") if total else 1
    rows = authorizations.page(
        session,
        by=supervisor,
        institution_id=institution_id,
        expiring_within=days,
        number=number,
        size=SIZE,
    )

shown = [
    {
        **row.__dict__,
        "row": row,
        "kind": row.kind or "（整个项别）",
        "left": authorization_form.left(row.days_left),
    }
    for row in rows
]
seen = f"granted-{asked}-{within}-{number}-{hash(tuple((row.id, row.version) for row in rows))}"
if rows:
    picked = tables.choosing(shown, COLUMNS, seen, "授权列表", is_many=False)
else:
    picked = []
    look.empty("没有符合条件的授权" if asked or within else "还没有授权，请在下方新增")
row = picked[0]["row"] if picked else None
if row and narrowing.is_own(supervisor, row.division_code):
    authorization_form.change(row, places[row.institution_id].open_count)
elif row:
    st.info("这项授权的区域超出您的管辖范围，由上级监管部门维护", icon=":material/lock:")
else:
    authorization_form.grant({row.id: row.name for row in places.values()}, supervisor.division_code)
