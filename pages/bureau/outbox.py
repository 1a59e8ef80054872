"""待发消息: what the system has to tell people, passed on by telephone where no gateway does it."""

import streamlit as st

from db import gateway, notifications
from db.models import Channel, Role
from db.notifications import NotificationState
from pages.parts import look, tables
from pages.parts.account import acting, looking, signed_in

READERS = (Role.reviewer, Role.administrator)
SIZE = 50
DUE = (NotificationState.waiting, NotificationState.failed)
COLUMNS = {
    "created_at": "时间",
    "cause": "事由",
    "channel": "方式",
    "recipient": "收信人",
    "expires_at": "有效至",
    "text": "内容",
}
DONE = {**COLUMNS, "done_at": "办结时间", "passed_on_by": "转告人"}
FAILED = {**COLUMNS, "try_count": "已试次数", "failure": "失败原因"}
MOMENT = 145
WIDTHS = {
    **{field: MOMENT for field in ("created_at", "expires_at", "done_at")},
    **{"cause": 90, "channel": 60, "recipient": 120, "text": 380, "failure": 220, "passed_on_by": 90},
}


def explain(channels: list[Channel]) -> None:
    """Which messages go out by themselves, and which ones staff have to tell."""
    missing = [channel for channel in Channel if channel not in channels]
    if missing:
        names = "、".join(missing)
        st.info(
            f"没有配置{names}网关，{names}不会自动发出：请打电话（邮件用单位邮箱）转告收信人，再点击“已转告”。",
            icon=":material/phone_forwarded:",
        )


def choose_state(counts: dict[NotificationState, int]) -> NotificationState:
    """Which of the lists; the address may ask for one."""
    start = NotificationState.__members__.get(st.query_params.get("state", ""), NotificationState.waiting)
    chosen = st.segmented_control(
        "状态",
        list(NotificationState),
        default=start,
        format_func=lambda one: f"{one} {counts[one]:,}",
        key="outbox-state",
        label_visibility="collapsed",
    )
    return chosen or start


def show(notification_id: int) -> None:
    """The message in full, once asked for, and the button of whoever has told it."""
    opened = st.session_state.get("outbox-opened", {})
    with st.container(border=True, gap="small"):
        if opened.get("id") != notification_id:
            st.text("收信人的完整号码和消息内容，点击“查看内容”后显示，查看会记入审计日志。")
            if st.button("查看内容", icon=":material/visibility:", key=f"read-{notification_id}"):
                with acting(*READERS) as (session, account):
                    recipient, text, until = notifications.read(session, notification_id, by=account)
                st.session_state["outbox-opened"] = {
                    "id": notification_id,
                    "recipient": recipient,
                    "text": text,
                    "until": until,
                }
                st.rerun()
            return
        st.caption(f"收信人（{tables.text('at', opened['until'])} 前有效）")
        st.markdown(f"**{look.plain(opened['recipient'])}**")
        st.caption("内容")
        st.text(opened["text"])
        if "@" in opened["recipient"]:
            st.info("请用单位邮箱发送到上面的地址。", icon=":material/mail:")
        else:
            st.warning(
                "请由您拨打上面的号码转告。有人来电索要验证码或密码的，不要在来电中告知，挂断后回拨。",
                icon=":material/phone_callback:",
            )
        if st.button("已转告", type="primary", icon=":material/task_alt:", key=f"told-{notification_id}"):
            del st.session_state["outbox-opened"]
            with acting(*READERS) as (session, account):
                notifications.pass_on(session, notification_id, by=account)
            look.flash("已记录转告")
            st.rerun()


signed_in(*READERS)
look.header("待发消息", "系统要告诉收信人的事：配置了网关的自动发送，其余由工作人员打电话转告。")
channels = gateway.channels()
explain(channels)
with looking(*READERS) as (session, account):
    counts = notifications.counts(session, by=account)
    state = choose_state(counts)
    if not counts[state]:
        look.empty(f"没有“{state}”的消息")
        st.stop()
    number = tables.pager(counts[state], SIZE, f"outbox-pages-{state.name}")
    rows = notifications.page(session, by=account, state=state, number=number, size=SIZE)

if state not in DUE:
    tables.listing(rows, DONE, "消息", widths=WIDTHS)
    st.stop()
key = f"outbox-{state.name}-{hash(tuple(row['id'] for row in rows))}"
columns = FAILED if state == NotificationState.failed else COLUMNS
picked = tables.choosing(rows, columns, key, "消息", is_many=False, widths=WIDTHS)
if not picked:
    st.caption("选中一条消息，查看内容并转告")
elif state == NotificationState.waiting and picked[0]["channel"] in channels:
    st.caption("这条消息正由网关发送，不需要转告；发送失败后会列在“发送失败”中")
else:
    show(picked[0]["id"])
