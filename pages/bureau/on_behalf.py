"""代办预约: a supervisor books for an enterprise that cannot, recorded as such."""

import streamlit as st

from db import appointments, enterprises, ledger, privacy
from db.models import Role
from pages.parts import look, narrowing, tables, unmasking
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

MOST = 20
ENTERPRISES = {
    "name": "使用单位",
    "credit_code": "统一社会信用代码",
    "contact_name": "联系人",
    "mobile": "手机号",
    "address": "地址",
}
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "kind": "器具种别",
    "specification": "型号规格",
    "valid_until": "有效期至",
    "delivery_mode": "送检方式",
    "division": "使用地点",
    "location": "安装/使用地点",
}

signed_in(Role.supervisor)
look.header("代办预约", "为不便自行操作的使用单位预约，预约单注明“代办”和经办人。先选使用单位，再选器具。")
text = narrowing.text("单位名称或统一社会信用代码", width=360)
with looking(Role.supervisor) as (session, supervisor):
    found = enterprises.page(session, by=supervisor, text=text, size=MOST + 1)
if not found:
    look.empty("没有找到使用单位，请核对名称或代码；未注册的单位请先办理企业注册")
    st.stop()
if len(found) > MOST:
    st.caption(f"只列出前 {MOST} 个，请输入更多字以缩小范围")
listed = [
    {
        **row.model_dump(),
        "contact_name": privacy.name(row.contact_name),
        "mobile": privacy.mobile(row.mobile),
        "row": row,
    }
    for row in found[:MOST]
]
picked = tables.choosing(listed, ENTERPRISES, f"enterprises-{text}", "使用单位", is_many=False)
if not picked:
    st.info("请选中一个使用单位", icon=":material/touch_app:")
    st.stop()

enterprise = picked[0]["row"]
unmasking.popover("enterprise", enterprise.id)
st.subheader(look.plain(f"{enterprise.name} 可预约的器具"), anchor=False)
words = st.text_input(
    "查找器具", max_chars=100, placeholder="名称、型号、编号、地点", width=360, key=f"words-{enterprise.id}"
)
with looking(Role.supervisor) as (session, supervisor):
    wanted = ledger.Filters(text=words)
    rows = ledger.bookable(session, enterprise.id, wanted, by=supervisor)
if not rows:
    look.empty("没有可预约的器具：器具须在用，且不在办理中的预约单里")
    st.stop()
st.caption("在用且没有办理中预约的器具，最先到期的在前，最多列出 100 台。")
seen = f"bookable-{enterprise.id}-{hash(tuple(row.id for row in rows))}"
is_all = st.checkbox(f"全选 {len(rows)} 台", key=f"{seen}-all")
chosen = tables.choosing(rows, COLUMNS, f"{seen}-{is_all}", "可预约的器具", is_all=is_all)
note = st.text_input(
    "备注", max_chars=500, key=f"note-{enterprise.id}", placeholder="例如 来电委托，经办人姓名"
)
if st.button("提交申请", type="primary", disabled=not chosen, key=f"submit-{enterprise.id}"):
    ids = [row.id for row in chosen]
    with acting(Role.supervisor) as (session, supervisor):
        made = appointments.submit(session, enterprise.id, ids, by=supervisor, note=note)
    look.flash(f"已代 {enterprise.name} 提交预约单 {made[0].number}，共 {len(ids)} 台")
    st.switch_page(page("receipt"), query_params={"id": str(made[0].id)})
