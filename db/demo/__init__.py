"""The demo bureau: a prefecture with its institutions, enterprises, ledgers and a year of appointments.

The same arguments on the same day give the same rows, ids included; only the password's hash differs.
Names, makers and numbers are invented.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from random import Random

from sqlmodel import Session

from db import clock, passwords, reference, workdays
from db.demo import bookings, bureau, ledger, licences, people, recoveries, requests, results
from db.demo.articles import articles
from db.demo.bookings import Booking
from db.demo.diary import Diary
from db.demo.ledger import Batch
from db.demo.people import Owner
from db.demo.scenarios import CASES, Case
from db.demo.writing import Writer, is_untouched
from db.errors import Refused
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Authorization,
    Enterprise,
    Institution,
    Instrument,
    Registration,
    Verification,
)
from db.reference import KindRow

PASSWORD = "Yuejian-2026"
SHOWCASE = (
    (
        "enterprise01",
        "企业用户",
        "维护台账，预约检定，查看回执、每台器具的进度和未分配的原因",
    ),
    ("personal01", "个人用户", "经企业授权，为所关联的企业维护台账和预约"),
    ("county01", "县级技术机构（西湖区）", "受理或退回预约，安排日期，登记检定结果"),
    ("prefecture01", "市级技术机构", "承接没有县级机构的区和县级机构不能检的种别，处理超期器具"),
    (
        "reviewer01",
        "审核人员",
        "审核企业注册：有加急的、超过两个工作日的和补正后重新提交的；核实找回申请，转告待发消息",
    ),
    (
        "supervisor01",
        "监管人员（全市）",
        "查看状态看板，处理未分配的器具，审批有效期更正，管理技术机构授权，为企业代办",
    ),
    ("supervisor02", "监管人员（西湖区）", "只看到本区的器具和预约"),
    ("administrator", "管理员", "管理账号、工作日、系统设置和基础数据"),
)
LABELS = {
    Institution: "技术机构",
    Authorization: "授权",
    Enterprise: "使用单位",
    Account: "账号",
    Registration: "注册申请",
    Instrument: "器具",
    Appointment: "预约单",
    AppointmentLine: "预约器具",
    Verification: "检定结果",
}


def is_empty(session: Session) -> bool:
    """Whether nothing of what a demo writes is there yet."""
    return is_untouched(session)


def fill(
    session: Session, enterprises: int = 40, instruments: int = 3000, today: date | None = None
) -> dict[str, int]:
    """Fill an empty database as it might look on `today`; returns how much was made, by Chinese name.

    Raises Refused for a database that holds anything, for fewer than one enterprise or instrument, and
    without the starter catalog.
    """
    if enterprises < 1 or instruments < 1:
        raise Refused("演示数据至少要有 1 家使用单位和 1 台器具，请填正整数")
    if not is_empty(session):
        raise Refused("数据库里已有数据，演示数据只能写入空数据库，请换一个 DATABASE_URL 再试")
    diary = Diary(today or clock.today(), workdays.calendar(session))
    kinds = _kinds(session)
    writer = Writer(session)
    password_hash = passwords.hashed(PASSWORD)
    staff = bureau.found(writer, diary, kinds, password_hash)
    owners = people.register(writer, diary, staff, password_hash, enterprises, Random("registrations"))
    random = Random("ledgers")
    batches, booked = _cases(owners[0], kinds, instruments, diary, random)
    drawn = _draw(owners, kinds, instruments - sum(batch.size for batch in batches), random)
    booked += bookings.choose(drawn, diary, random)
    appointments = bookings.gather(booked, staff, diary, Random("appointments"))
    ledger.write(writer, diary, batches + drawn, Random("entries"))
    acts = Random("acts")
    for planned in appointments:
        bookings.play(planned, staff, diary, acts)
    results.write(writer, diary, staff, appointments, Random("results"))
    writer.close()
    requests.write(session, diary, staff, owners[0])
    recoveries.write(session, diary, staff, owners)
    licences.write(session)
    return {label: writer.counts[model] for model, label in LABELS.items()}


def _kinds(session: Session) -> dict[str, KindRow]:
    kinds = {row.code: row for row in reference.kinds(session) if row.retired_on is None}
    if not set(articles()) <= set(kinds):
        raise Refused("演示数据需要随附的起步目录，请先运行 python -m db upgrade")
    return kinds


def _cases(
    owner: Owner, kinds: dict[str, KindRow], room: int, diary: Diary, random: Random
) -> tuple[list[Batch], list[Booking]]:
    """What the first enterprise shows in every demo that has the room."""
    batches: list[Batch] = []
    booked: list[Booking] = []
    for case in CASES:
        size = min(random.randint(1, 3), room)
        if size < 1:
            break
        room -= size
        batches.append(_case_batch(owner, case, kinds, size, random))
        booked.append(Booking(batches[-1], case.scenario, case.scenario.days(diary, random)))
    return batches, booked


def _case_batch(owner: Owner, case: Case, kinds: dict[str, KindRow], size: int, random: Random) -> Batch:
    batch = ledger.draw(owner, case.kind_code, kinds, size, random)
    batch.division_code = case.division_code or owner.enterprise.division_code
    if case.lacks:
        setattr(batch, case.lacks, None)
    return batch


def _draw(owners: Sequence[Owner], kinds: dict[str, KindRow], count: int, random: Random) -> list[Batch]:
    """Batches of `count` instruments altogether, for each owner as its trade has them."""
    shares = list(accumulate(owner.sector.weight for owner in owners))
    made = []
    while count > 0:
        owner = owners[bisect_left(shares, random.random() * shares[-1])]
        size = min(count, random.randint(1, ledger.MOST_IN_BATCH))
        made.append(ledger.draw(owner, None, kinds, size, random))
        count -= size
    return made
