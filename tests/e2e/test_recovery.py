"""忘记密码 in a real browser: by a code from a real gateway, and offline by two members of staff."""

import re
import time

import pytest
from sqlmodel import select

from db.engine import transaction
from db.models import Account, Role
from tests import browser, gateways, make
from tests.e2e.person import Person
from tests.e2e.test_corrections import PNG

MOBILE, NEW = "13900001234", "Guolu-2027"


@pytest.fixture
def owner(bureau) -> str:
    """The user name of the small bureau's enterprise, whose account has a number."""
    with transaction() as session:
        account = session.exec(select(Account).where(Account.username == bureau["enterprise"])).one()
        account.mobile = MOBILE
        return account.username


@pytest.fixture
def colleague(bureau) -> str:
    """A second reviewer of the small bureau."""
    with transaction() as session:
        return make.make_account(session, Role.reviewer, full_name="吴静").username


def arrived(endpoint, count) -> str:
    """The text of the message that comes as number `count`."""
    deadline = time.monotonic() + 30
    while len(endpoint.texts) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return endpoint.texts[count - 1]


def test_a_code_from_the_gateway_opens_the_way_to_a_new_password(chromium, owner, sqlite):
    with (
        gateways.endpoint() as endpoint,
        browser.serve(sqlite, YUEJIAN_SMS_URL=endpoint.url) as url,
        browser.visitor(chromium) as page,
    ):
        person = Person(page, url)
        person.goes_to("/")
        person.page.get_by_role("link", name="忘记密码").click()
        browser.settled(person.page)
        person.types("用户名 *", owner)
        person.presses("获取验证码")
        person.reads("输入验证码")
        text = arrived(endpoint, 1)
        assert endpoint.requests[0]["body"]["mobile"] == MOBILE
        code = re.search(r"验证码 (\d{6})", text)[1]
        person.types("验证码", f"{(int(code) + 1) % 1_000_000:06}")
        person.presses("下一步")
        person.reads("还可以试 4 次")
        person.types("验证码", code)
        person.presses("下一步")
        person.types("新密码", NEW)
        person.types("再次输入新密码", NEW)
        person.presses("确定")
        person.reads("密码已修改")
        person.sign_in(owner, NEW)
        person.reads("台账")


def test_two_members_of_staff_give_an_account_back_offline(visit, bureau, owner, colleague):
    asker, decider = visit(bureau["reviewer"]), visit(colleague)

    asker.opens("找回申请")
    asker.presses("提出找回申请")
    asker.types("统一社会信用代码或账号名", owner)
    asker.reads("139****1234")
    asker.types("申请人姓名", "陈建国")
    asker.types("申请人手机号", "13700001111")
    asker.page.locator("input[type=file]").set_input_files(
        {"name": "执照.png", "mimeType": "image/png", "buffer": PNG}
    )
    asker.page.get_by_text("执照.png").wait_for()
    asker.page.wait_for_timeout(500)
    asker.presses("提交申请")
    asker.reads("提出和办理不能是同一人")

    decider.opens("找回申请")
    decider.cell(owner)
    picture = decider.page.locator('img[alt="附件"]')
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1
    decider.types("意见", "执照属实")
    decider.presses("同意办理")
    decider.reads("的初始密码只显示这一次")
    passing = decider.page.get_by_test_id("stDialog").locator("code").inner_text().strip()
    decider.presses("我已记下")

    person = visit()
    person.sign_in(owner, passing)
    person.reads("修改初始密码")
    person.types("当前密码", passing)
    person.types("新密码", NEW)
    person.types("再次输入新密码", NEW)
    person.presses("修改密码")
    person.opens("强检器具台账维护")
    person.reads("台账还是空的")
