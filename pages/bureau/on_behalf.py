"""代办预约: a supervisor books for an enterprise that cannot, recorded as such."""

import streamlit as st

from db import appointments, enterprises, instruments
from db.models import Role
from pages.parts import look, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

COLUMNS = {
    "name": "器具名称",
    "kind": "器具种别",
    "serial_number": "出厂编号",
    "division": "使用地点",
    "location": "安装/使用地点",
    "delivery_mode": "送检方式",
    "valid_until": "有效期至",
}
ENTERPRISES = {
    "name": "使用单位",
    "credit_code": "统一社会信用代码",
    "contact_name": "联系人",
    "mobile": "手机号",
}

signed_in(Role.supervisor)
look.header("代办预约", "为不便自行操作的使用单位预约，记录为代办。先选使用单位，再选器具。")
text = st.text_input("使用单位", placeholder="名称或统一社会信用代码", width=360)
with looking(Role.supervisor) as (session, supervisor):
    found = enterprises.page(session, by=supervisor, text=text, size=20)
if not found:
    look.empty("没有找到使用单位，请核对名称或代码")
    st.stop()
picked = tables.choosing(found, ENTERPRISES, f"enterprises-{text}", "使用单位", is_many=False)
if not picked:
    st.info("请选中一个使用单位", icon=":material/touch_app:")
    st.stop()

enterprise = picked[0]
with looking(Role.supervisor) as (session, supervisor):
    rows = instruments.bookable(session, enterprise.id, by=supervisor)
if not rows:
    look.empty(f"{enterprise.name} 没有可预约的器具")
    st.stop()
st.subheader(f"{enterprise.name} 可预约的器具", anchor=False)
chosen = tables.choosing(rows, COLUMNS, f"bookable-{enterprise.id}-{rows[0].id}-{len(rows)}", "可预约的器具")
note = st.text_input(
    "备注", max_chars=500, key=f"behalf-note-{enterprise.id}", placeholder="例如 现场代办，经办人姓名"
)
if st.button("提交申请", type="primary", disabled=not chosen, key=f"behalf-{enterprise.id}"):
    with acting(Role.supervisor) as (session, supervisor):
        ids = [row.id for row in chosen]
        made = appointments.submit(session, enterprise.id, ids, by=supervisor, note=note)
    look.flash(f"已代 {enterprise.name} 提交预约单 {made[0].number}")
    st.switch_page(page("receipt"), query_params={"id": str(made[0].id)})
