"""检定记录: the results the institution has recorded."""

import streamlit as st

from db import verifications
from db.models import Conclusion, Role
from pages.parts import look, narrowing, tables
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 50
COLUMNS = {
    "certificate_number": "证书（通知书）编号",
    "conclusion": "结论",
    "name": "器具名称",
    "serial_number": "出厂编号",
    "enterprise": "使用单位",
    "verified_on": "检定日期",
    "valid_until": "有效期至",
    "verification_type": "检定类别",
    "verifier": "检定员",
}
FACTS = {
    "kind": "器具种别",
    "specification": "型号规格",
    "measuring_range": "测量范围",
    "accuracy_class": "准确度等级",
    "manufacturer": "生产厂家",
    "location": "安装/使用地点",
    "number": "预约单号",
    "regulation": "检定依据",
    "measurement_standard": "标准装置",
    "verifier": "检定员",
    "checker": "核验员",
    "remark": "备注",
}

signed_in(Role.institution)
look.header("检定记录", "合格发检定证书，不合格发检定结果通知书。选中一行查看全部内容。")
with st.container(horizontal=True, vertical_alignment="bottom"):
    text = narrowing.text("编号、单位、器具、出厂编号")
    conclusion = narrowing.choice("conclusion", "结论", narrowing.named(Conclusion), width=140)
key = f"certificates-{text}-{conclusion}"
with looking(Role.institution) as (session, clerk):
    rows, total = verifications.page(
        session,
        by=clerk,
        text=text,
        conclusion=narrowing.member(Conclusion, conclusion),
        number=st.session_state.get(f"{key}-pages", 1),
        size=SIZE,
    )
if not total and not text and not conclusion:
    look.empty("还没有检定记录，登记结果后出现在这里", page("verification"), "去登记结果")
    st.stop()
if not total:
    look.empty("没有符合条件的检定记录，请放宽筛选")
    st.stop()

number = tables.pager(total, SIZE, f"{key}-pages")
shown = [{**row.snapshot, **row._mapping} for row in rows]
picked = tables.choosing(shown, COLUMNS, f"{key}-{number}-{rows[0].id}", "检定记录", is_many=False)
for row in picked:
    with st.container(border=True):
        st.subheader(look.plain(f"{row['name']} {row['serial_number']}"), anchor=False)
        st.markdown(f"{look.badge(row['conclusion'].value)} {look.plain(row['certificate_number'])}")
        with st.grid(4, min_column_width=150, gap="small"):
            for field, label in FACTS.items():
                with st.container(gap="xxsmall"):
                    st.caption(label)
                    st.text(str(row[field] or "—"))
