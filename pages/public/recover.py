"""忘记密码: an account is named, a code proves its mobile number, a new password is set; or offline."""

import streamlit as st

from db import codes, resets, settings
from db.candidates import Candidate
from db.engine import reading
from db.resets import Way
from pages.parts import confirmation, look
from pages.parts.account import address, visiting
from pages.parts.navigation import page

STEPS = ("确认账号", "输入验证码", "设置新密码")
RULES = "8 至 64 个字符，含大写字母、小写字母、数字、其他字符中的三种，或不少于 12 个字符"
ENTERPRISE = """
1. 准备统一社会信用代码证明文件，如营业执照。
2. 连同 18 位信用代码和查询人手机号，一并提交给主管部门。
3. 主管部门核实身份后，一个工作日内告知账号和初始密码。
"""
PERSONAL = """
1. 准备注册人的身份证复印件。
2. 连同身份证号、姓名和申请人手机号，一并提交给主管部门。
3. 主管部门核实身份后，一个工作日内告知账号和初始密码。
"""


def forget() -> None:
    """Begin anew: nothing of the way so far stays in the session."""
    for key in [key for key in st.session_state if str(key).startswith("recovery")]:
        del st.session_state[key]


def ask(contact: str) -> None:
    """The first step: which account, and how the code will come."""
    way = st.radio("找回方式", list(Way), horizontal=True, key="recovery-way") or Way.username
    if codes.is_sent():
        st.caption(f"验证码以短信发送到账号预留的手机号码，{codes.minutes()} 分钟内有效。")
    else:
        said = (
            f"本系统没有开通短信，验证码不会自动发出：获取后请致电{contact}，由工作人员按账号预留的手机号码"
            f"回拨告知，{codes.minutes()} 分钟内有效。"
        )
        st.info(look.plain(said), icon=":material/phone_callback:")
    with st.form("recovery-ask", clear_on_submit=False, border=False):
        typed = st.text_input(
            f"{way} *", max_chars=40, key=f"recovery-{way.name}", autocomplete="username", width=420
        )
        is_asked = st.form_submit_button("获取验证码", type="primary")
    if is_asked:
        with visiting() as session:
            token = resets.ask(session, way, typed, address())
        st.session_state["recovery"] = {"token": token, "asked": f"{way}“{typed.strip()}”"}
        st.rerun()


def confirm(state: dict[str, str], contact: str) -> None:
    """The second step; it says the same whether or not there is such an account."""
    if codes.is_sent():
        said = f"如果{state['asked']}对应的账号存在并预留了手机号码，验证码已发送到该号码。"
    else:
        said = (
            f"如果{state['asked']}对应的账号存在并预留了手机号码，验证码已交工作人员。"
            f"请致电{contact}，接听回拨电话取得验证码。"
        )
    st.text(said)
    if confirmation.draw("recovery", state["token"], resets.is_code):
        state["proven"] = "1"
        st.rerun()


def choose(found: list[Candidate]) -> Candidate:
    """The account; to choose where several share the number."""
    if len(found) == 1:
        st.text(f"账号：{found[0].username}（{found[0].belongs_to or found[0].full_name}）")
        return found[0]
    return st.selectbox(
        "这个手机号码预留在几个账号上，请选择 *",
        found,
        format_func=lambda one: f"{one.username}（{one.belongs_to or one.full_name}，{one.role}）",
        key="recovery-account",
    )


def set_password(state: dict[str, str]) -> None:
    """The last step."""
    with reading() as session:
        found = resets.candidates(session, state["token"])
    account = choose(found)
    with st.form("recovery-password", clear_on_submit=False, border=False):
        new = st.text_input(
            "新密码 *", type="password", max_chars=64, autocomplete="new-password", help=RULES
        )
        again = st.text_input("再次输入新密码 *", type="password", max_chars=64, autocomplete="new-password")
        st.caption(f"{RULES}。修改后，这个账号在所有设备上的登录立即失效。")
        is_set = st.form_submit_button("确定", type="primary")
    if is_set and new != again:
        st.error("两次输入的新密码不一致，请重新输入", icon=":material/error:")
    elif is_set:
        with visiting() as session:
            username = resets.set_password(session, state["token"], account.id, new, address())
        forget()
        st.session_state["recovery"] = {"done": username}
        st.rerun()


def offline(contact: str) -> None:
    """What to bring when the registered number is not known any more (the guide, appendix 三.2)."""
    st.subheader("不确定预留的手机号码", anchor=False)
    st.text(f"账号查询、密码重置和更换手机号由主管部门线下办理，请联系{contact}。")
    with st.grid(2, min_column_width=280, gap="medium"):
        for title, steps in (("企业或机构账号", ENTERPRISE), ("个人账号", PERSONAL)):
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{title}**")
                st.markdown(steps)
    st.caption("未注册过、没有提供手机号或材料不全的，主管部门会告知原因。初始密码首次登录时必须修改。")


with reading() as session:
    contact = settings.value(session, "contact") or "本系统的主管部门"
state = st.session_state.get("recovery", {})
step = 2 if "proven" in state else 1 if "token" in state else 0

with st.container(horizontal_alignment="center"), st.container(width=960):
    look.header("忘记密码")
    with st.container(border=True):
        if "done" in state:
            st.success(
                look.plain(f"账号“{state['done']}”的密码已修改，请用新密码登录"), icon=":material/task_alt:"
            )
            st.page_link(page("sign_in"), label="去登录", icon=":material/login:")
        else:
            # Before the forms: what they refuse ends the page.
            if confirmation.steps(STEPS, step, "recovery"):
                forget()
                st.rerun()
            if step == 0:
                ask(contact)
            elif step == 1:
                confirm(state, contact)
            else:
                set_password(state)
    if step == 0 and "done" not in state:
        offline(contact)
    st.page_link(page("sign_in"), label="返回登录", icon=":material/arrow_back:")
