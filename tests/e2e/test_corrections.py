"""更正有效期至, from the request with its proof to the ledger that tells it, in a real browser."""

from datetime import date

import pytest
from sqlmodel import select

from db.engine import reading, transaction
from db.models import Account, Instrument
from tests import make

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
def gauge(bureau, sqlite) -> int:
    """A gauge of the small bureau's enterprise, with a certificate."""
    with transaction() as session:
        here = select(Account).where(Account.username == bureau["enterprise"])
        owner = session.exec(here).one()
        return make.make_instrument(session, owner, serial_number="HY37", valid_until=date(2027, 1, 31)).id


def test_a_date_is_corrected_on_request_and_the_history_tells_it(visit, bureau, gauge):
    owner, supervisor = visit(bureau["enterprise"]), visit(bureau["supervisor"])

    owner.goes_to(f"/instrument?id={gauge}")
    owner.presses("申请更正")
    owner.presses("提交申请")
    owner.reads("请选择“更正后的有效期至”")
    owner.picks_day("更正后的有效期至", "2027-07-31")
    owner.types("更正理由", "录入时看错了月份")
    chosen = {"name": "检定证书.png", "mimeType": "image/png", "buffer": b"GIF89a"}
    owner.page.locator("input[type=file]").set_input_files(chosen)
    owner.page.get_by_text("检定证书.png").wait_for()
    owner.presses("提交申请")
    owner.reads("附件不是 JPG、PNG 图片或 PDF 文件")
    owner.page.locator("input[type=file]").set_input_files(chosen | {"buffer": PNG})
    owner.page.wait_for_timeout(800)
    owner.presses("提交申请")
    owner.reads("待审批")

    supervisor.opens("更正审批")
    supervisor.cell("HY37")
    supervisor.reads("更正理由：录入时看错了月份")
    picture = supervisor.page.locator('img[alt="附件"]')
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1
    with supervisor.page.expect_popup() as opened:
        supervisor.page.get_by_role("link", name="查看附件").click()
    opened.value.wait_for_load_state()
    answer = supervisor.page.request.get(opened.value.url)
    assert (answer.status, answer.body()) == (200, PNG)
    assert visit().page.request.get(opened.value.url).status == 404

    supervisor.types("审批意见", "证书属实")
    supervisor.presses("同意更正")
    supervisor.reads("没有待审批的更正申请")

    owner.opens("强检器具台账维护")
    owner.cell("2027-07-31")
    owner.goes_to(f"/instrument?id={gauge}")
    owner.reads("更正有效期")
    owner.reads("有效期至：2027-01-31 → 2027-07-31")
    owner.reads("录入时看错了月份；审批意见：证书属实")
    with reading() as session:
        assert session.get_one(Instrument, gauge).valid_until == date(2027, 7, 31)
