"""预约受理: the institution answers the lines waiting for it."""

import streamlit as st

from db import appointment_lines, appointments, clock, workdays, workflow
from db.models import DeliveryMode, LineStatus, Role, Subject
from pages.parts import lines, look, narrowing
from pages.parts.account import acting, looking, signed_in

COLUMNS = lines.COLUMNS | {"submitted_at": "申请时间", "waited": "已等待"}
DATES = {DeliveryMode.brought_in: "送检日期范围 *", DeliveryMode.on_site: "上门日期 *"}

signed_in(Role.institution)
look.header("预约受理", "选中一台或多台器具，约定日期后受理；不属于本机构业务的请退回，由系统另行指派。")

waiting = appointment_lines.Filters(statuses=(LineStatus.assigned,))
with looking(Role.institution) as (session, clerk):
    limit = workdays.limit(session)
    batches = appointment_lines.by_appointment(session, waiting, by=clerk)
    if not batches:
        look.empty("没有待受理的器具。有新的预约指派到本机构时，会出现在这里")
        st.stop()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = narrowing.text("单位、器具、出厂编号", width=240)
        booked = {
            str(batch.appointment_id): f"{batch.number} · {batch.enterprise} · {batch.line_count} 台"
            for batch in batches
        }
        appointment = narrowing.choice("appointment", "预约单", booked, width=360)
        mode = narrowing.choice("mode", "送检方式", narrowing.named(DeliveryMode), width=120)
        late = narrowing.choice("late", "时限", {"answer": appointment_lines.LATE["answer"]}, width=130)
    wanted = appointment_lines.Filters(
        statuses=waiting.statuses,
        text=text,
        appointment_id=int(appointment) if appointment else None,
        delivery_mode=narrowing.member(DeliveryMode, mode),
        late=late,
    )
    picked, total = lines.pick(session, wanted, clerk, COLUMNS, "waiting", limit)
    moves = appointment_lines.history(session, picked[0].id, by=clerk) if len(picked) == 1 else []

if not total:
    look.empty("没有符合条件的器具，请放宽筛选")
    st.stop()
if not picked:
    st.info("请先在表中勾选要办理的器具", icon=":material/touch_app:")
    st.stop()
if moves:
    lines.detail(picked[0], moves)

ids = [line.id for line in picked]
modes = {line.delivery_mode for line in picked}
first, last = (limit.calendar.after(clock.today(), days).day for days in (1, 5))
is_visit = modes == {DeliveryMode.on_site}
steps = workflow.open_steps(Subject.line, LineStatus.assigned, Role.institution)
with st.form(f"answer-{hash(tuple(ids))}", enter_to_submit=False):
    st.subheader(f"办理 {len(ids)} 台器具", anchor=False)
    if len(modes) > 1:
        st.caption("选中的器具有送检也有现场检，将约定同一日期范围；需要分别约定的请分开受理。")
    day, note = st.columns([1, 2])
    planned = day.date_input(
        DATES[modes.pop()] if len(modes) == 1 else "送检或上门日期范围 *",
        first if is_visit else (first, last),
        min_value=clock.today(),
        format="YYYY-MM-DD",
    )
    written = note.text_area(
        "意见或理由", max_chars=500, height=80, placeholder="受理时选填；不予受理、退回必填，使用单位可见"
    )
    with st.container(horizontal=True):
        pressed = {
            step.action: st.form_submit_button(
                step.label, type="primary" if step is steps[0] else "secondary"
            )
            for step in steps
        }
    st.caption("不予受理：器具可由使用单位重新预约。退回：系统改派给其他有授权的机构，不再派回本机构。")

days = planned if isinstance(planned, tuple) else (planned, planned)
if pressed["accept"]:
    with acting(Role.institution) as (session, clerk):
        receipts = appointments.accept(
            session,
            ids,
            by=clerk,
            planned_from=days[0] if days else None,
            planned_until=days[1] if len(days) == 2 else None,
            note=written,
        )
    look.flash(f"已受理 {len(ids)} 台，回执 {'、'.join(receipt.number for receipt in receipts)}")
    st.rerun()
if pressed["decline"]:
    with acting(Role.institution) as (session, clerk):
        count = appointments.decline(session, ids, by=clerk, reason=written)
    look.flash(f"已不予受理 {count} 台，理由已告知使用单位")
    st.rerun()
if pressed["hand_back"]:
    with acting(Role.institution) as (session, clerk):
        placed = appointments.hand_back(session, ids, by=clerk, reason=written)
    look.flash(f"已退回 {len(ids)} 台，其中 {placed} 台已指派给其他机构")
    st.rerun()
