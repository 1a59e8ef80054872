"""The enterprises, those who work for them, and their applications."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from catalog.divisions import full_name
from catalog.identifiers import credit_check_character, organization_check_character
from db import search
from db.demo.bureau import DISTRICTS, XIHU, Bureau, add_account
from db.demo.diary import Diary, moment
from db.demo.histories import Move, walk
from db.demo.writing import Writer
from db.models import Account, Enterprise, Link, LinkStatus, Registration, Role, StatusChange, Subject

FIRST = "安恒明嘉瑞启宏锦云泽景博远华盛康正德信和同益新永万利兴隆昌达"
SECOND = "澜信辰和源泰川成诚程宁舟桥林峰溪湖海岸庭洲润丰茂祥顺通联汇佳"
PAIRS = len(FIRST) * len(SECOND)
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹"
    "曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟"
)
GIVEN = (
    *(
        "建国",
        "志强",
        "晓燕",
        "丽华",
        "文杰",
        "雪梅",
        "海波",
        "秀英",
        "俊",
        "静",
        "国庆",
        "春花",
        "立新",
        "佳琪",
    ),
    *(
        "明远",
        "玉兰",
        "浩然",
        "思远",
        "晨曦",
        "永刚",
        "慧敏",
        "宏伟",
        "婷",
        "磊",
        "雨桐",
        "子涵",
        "金凤",
        "学军",
    ),
)


@dataclass(frozen=True)
class Sector:
    """A line of business: how its names end, and the kinds it owns, each as often as its weight says."""

    suffix: str
    weight: int
    kinds: dict[str, int]
    credit_prefix: str = "91"


SECTORS = (
    Sector(
        "医院",
        14,
        {"92001": 30, "92101": 14, "92601": 8, "92701": 2, "91101": 12, "90101": 10, "90201": 3, "92201": 2},
        "12",
    ),
    Sector("加油站有限公司", 6, {"91701": 60, "91801": 8, "91101": 6}),
    Sector("超市有限公司", 9, {"90201": 60, "91101": 3}),
    Sector("热力有限公司", 10, {"91101": 60, "90501": 10, "91601": 14}),
    Sector("眼镜有限公司", 4, {"92201": 20, "92301": 20, "92401": 14, "92501": 4}),
    Sector("出租汽车有限公司", 8, {"91901": 60}),
    Sector("充电服务有限公司", 8, {"91201": 60}),
    Sector("环境监测站", 4, {"90701": 12, "90501": 10, "90901": 8}, "12"),
    Sector("物流有限公司", 6, {"90201": 20, "90301": 10, "90401": 12, "91101": 8}),
    Sector("粮油有限公司", 6, {"90801": 20, "90201": 24, "91101": 6}),
    Sector("水务有限公司", 9, {"91301": 40, "91302": 14, "90501": 8}),
    Sector("机动车检测有限公司", 4, {"90901": 24, "91101": 8, "90201": 4}),
    Sector("燃气有限公司", 9, {"91401": 40, "91101": 24, "91801": 4}),
    Sector("物业服务有限公司", 8, {"91501": 30, "91301": 14, "91601": 8, "91101": 6}),
    Sector("道路交通安全中心", 4, {"90601": 20, "92801": 24}, "12"),
    Sector("化工有限公司", 7, {"91101": 40, "90501": 12, "90201": 6}),
)


@dataclass
class Owner:
    """An enterprise with its account, since when it is registered, and who may book for it."""

    enterprise: Enterprise
    account: Account
    sector: Sector
    registered_on: date
    bookers: list[Account] = field(default_factory=list)


@dataclass(frozen=True)
class Pending:
    """A registration under review: (action, working days ago, note) of each move."""

    moves: tuple[tuple[str, int, str], ...]
    is_urgent: bool = False
    role: Role = Role.enterprise


NAME_WRONG = "企业名称与营业执照不一致，请按执照全称填写后重新提交"
MOBILE_WRONG = "预留手机号无法接通，请核对后填写经办人本人的手机号"
ELSEWHERE = "注册地址不在杭州市辖区内，请向单位所在地的市场监管部门注册"
TWICE = "该单位已以另一代码注册，请使用原账号登录，忘记密码可线下找回"
PENDING = (
    Pending((("submit", 1, ""),)),
    Pending((("submit", 1, ""),), is_urgent=True),
    Pending((("submit", 1, ""),)),
    Pending((("submit", 6, ""),)),
    Pending((("submit", 9, ""),)),
    Pending((("submit", 7, ""), ("send_back", 6, NAME_WRONG), ("resubmit", 1, "已改为执照上的全称"))),
    Pending((("submit", 4, ""), ("send_back", 3, NAME_WRONG))),
    Pending((("submit", 12, ""), ("send_back", 11, MOBILE_WRONG))),
    Pending((("submit", 16, ""), ("decline", 15, ELSEWHERE))),
    Pending((("submit", 25, ""), ("decline", 24, TWICE))),
    Pending((("submit", 1, ""),), role=Role.personal),
    Pending((("submit", 3, ""), ("send_back", 2, MOBILE_WRONG)), role=Role.personal),
)


class Names:
    """Names, codes and numbers, each given out once."""

    def __init__(self) -> None:
        """Start with the first name of every sector."""
        self.random = Random("names")
        self.given: dict[str, int] = {}
        self.count = 0

    def enterprise(self, sector: Sector) -> str:
        """A name nobody else has, such as 杭州安澜医院."""
        place = self.given.get(sector.suffix, 0)
        self.given[sector.suffix] = place + 1
        branch, place = divmod(place, PAIRS)
        # The step has no divisor in common with the number of pairs, so all of them come before one repeats.
        second, first = divmod((place * 197 + SECTORS.index(sector) * 61) % PAIRS, len(FIRST))
        words = FIRST[first] + SECOND[second]
        return f"杭州{words}{sector.suffix}" + (f"第{branch + 1}分部" if branch else "")

    def credit_code(self, sector: Sector, division_code: str) -> str:
        """A code that checks; organization codes that begin with MY are not given out."""
        self.count += 1
        organization = f"MY{self.count:06}"
        stem = (
            f"{sector.credit_prefix}{division_code}{organization}{organization_check_character(organization)}"
        )
        return stem + credit_check_character(stem)

    def mobile(self) -> str:
        """A number of the right form that rings nowhere."""
        self.count += 1
        return f"13{self.count:09}"

    def person(self) -> str:
        """A person's name."""
        return self.random.choice(SURNAMES) + self.random.choice(GIVEN)


def register(
    writer: Writer, diary: Diary, bureau: Bureau, password_hash: str, count: int, random: Random
) -> list[Owner]:
    """Write `count` enterprises with their registrations and accounts, and the applications under review."""
    names = Names()
    owners = [
        _owner(writer, diary, bureau, names, password_hash, place, day)
        for place, day in enumerate(_days(diary, count, random))
    ]
    for place, pending in enumerate(PENDING):
        _apply(writer, diary, bureau, names, password_hash, SECTORS[(count + place) % len(SECTORS)], pending)
    _link(writer, diary, names, password_hash, owners)
    return owners


def _days(diary: Diary, count: int, random: Random) -> list[date]:
    """When each registration was approved: most when the system began, the rest since, in order."""
    early = count - count // 7
    days = [random.randint(920, 1000) for _ in range(early)]
    days += [random.randint(8, 420) for _ in range(count - early)]
    return [diary.worked(diary.ago(day)) for day in sorted(days, reverse=True)]


def _owner(
    writer: Writer, diary: Diary, bureau: Bureau, names: Names, password_hash: str, place: int, day: date
) -> Owner:
    sector = SECTORS[place % len(SECTORS)]
    division_code = XIHU if place == 0 else DISTRICTS[(place * 5 + place // 13) % len(DISTRICTS)]
    applied_on = diary.worked(day - timedelta(1))
    values = _applicant(names, sector, division_code, place + 1)
    at = moment(day, slot=1, minute=place % 80)
    enterprise = Enterprise(**{field: values[field] for field in ENTERPRISE_FIELDS}, created_at=at)
    enterprise.initials = search.initials(enterprise.name)
    enterprise.name_key = search.name_key(enterprise.name)
    enterprise.id = place + 1
    writer.add(Enterprise, enterprise.model_dump())
    account = add_account(
        writer,
        at,
        password_hash,
        username=values["username"],
        role=Role.enterprise,
        full_name=values["contact_name"],
        mobile=values["mobile"],
        enterprise_id=enterprise.id,
    )
    moves = [Move("submit", moment(applied_on, minute=place % 80))]
    moves.append(Move("approve", at, bureau.staff[f"reviewer0{place % 2 + 1}"]))
    _write(writer, moves, values | {"password_hash": password_hash, "enterprise_id": enterprise.id})
    return Owner(enterprise, account, sector, day, [account])


ENTERPRISE_FIELDS = ("credit_code", "name", "division_code", "address", "contact_name", "mobile")


def _applicant(names: Names, sector: Sector, division_code: str, number: int) -> dict[str, Any]:
    return {
        "credit_code": names.credit_code(sector, division_code),
        "name": names.enterprise(sector),
        "division_code": division_code,
        "address": f"{full_name(division_code)}示范路 {number * 3 % 400 + 1} 号",
        "contact_name": names.person(),
        "mobile": names.mobile(),
        "username": f"enterprise{number:02}",
    }


def _apply(
    writer: Writer,
    diary: Diary,
    bureau: Bureau,
    names: Names,
    password_hash: str,
    sector: Sector,
    pending: Pending,
) -> None:
    number = writer.counts[Registration] + 1
    values = _applicant(names, sector, DISTRICTS[number % len(DISTRICTS)], number)
    if pending.role == Role.personal:
        person = {"name": values["contact_name"], "credit_code": "", "address": ""}
        values |= {"role": Role.personal, "username": f"personal{number}", **person}
    reviewer = bureau.staff["reviewer01"]
    moves = [
        Move(
            action,
            moment(diary.worked_ago(days), slot=place, minute=number % 80),
            None if action in ("submit", "resubmit") else reviewer,
            note=note,
        )
        for place, (action, days, note) in enumerate(pending.moves)
    ]
    _write(writer, moves, values | {"password_hash": password_hash, "is_urgent": pending.is_urgent})


def _write(writer: Writer, moves: Sequence[Move], values: dict[str, Any]) -> None:
    """One registration with its history."""
    status, rows = walk(Subject.registration, moves)
    first, submissions = moves[0].at, [move.at for move in moves if move.by is None]
    series = f"ZC{first:%Y%m%d}"
    registration = {
        "version": len(submissions),
        "number": f"{series}-{writer.number(series):04}",
        "status": status,
        "role": Role.enterprise,
        "name_key": search.name_key(values["name"]),
        "is_urgent": False,
        "licence_id": None,
        "submitted_at": submissions[-1],
        "decided_at": max((move.at for move in moves if move.by), default=None),
        "enterprise_id": None,
    }
    id = writer.add(Registration, registration | values)
    for row in rows:
        writer.add(StatusChange, row | {"subject_id": id})


@dataclass(frozen=True)
class Helper:
    """A personal account: (place of the enterprise, moves of the link, may edit) for each link."""

    username: str
    links: tuple[tuple[int, tuple[str, ...], bool], ...]
    note: str = ""


GRANTED, REQUESTED = ("request", "grant"), ("request",)
HELPERS = (
    Helper("personal01", ((0, GRANTED, True), (7, GRANTED, True)), "设备科，负责全院的强检器具"),
    Helper("personal02", ((0, REQUESTED, True), (1, ("request", "withdraw"), True)), "新到岗，接手检定工作"),
    Helper("personal03", ((1, GRANTED, True), (2, GRANTED, True))),
    Helper("personal04", ((0, ("request", "grant", "change_rights"), False),), "物业公司，代为预约"),
    Helper(
        "personal05",
        (
            (3, GRANTED, True),
            (4, ("request", "refuse"), True),
            (5, ("request", "grant", "revoke"), True),
            (6, ("request", "grant", "leave"), True),
        ),
    ),
)
LINKED = 500
OWN_STEPS = ("request", "withdraw", "leave")
NOTES = {
    "grant": "查看、编辑台账、预约检定",
    "refuse": "您不是本单位员工，请核对统一社会信用代码",
    "change_rights": "查看、预约检定",
    "revoke": "已调离设备管理岗位",
}


def _link(writer: Writer, diary: Diary, names: Names, password_hash: str, owners: Sequence[Owner]) -> None:
    """Write the personal accounts and their links to the enterprises there are."""
    for helper in HELPERS:
        account = add_account(
            writer,
            moment(diary.worked(diary.ago(LINKED + 10)), slot=1),
            password_hash,
            username=helper.username,
            role=Role.personal,
            full_name=names.person(),
            mobile=names.mobile(),
        )
        for place, actions, can_edit in helper.links:
            if place < len(owners):
                _add_link(writer, diary, account, owners[place], actions, can_edit, helper.note)


def _add_link(
    writer: Writer,
    diary: Diary,
    account: Account,
    owner: Owner,
    actions: tuple[str, ...],
    can_edit: bool,
    note: str,
) -> None:
    first = diary.ago(LINKED) if len(actions) > 1 else diary.ago(1)
    moves = [
        Move(
            action,
            moment(diary.worked(first + timedelta(place)), slot=2 + place),
            account if action in OWN_STEPS else owner.account,
            note=note if action == "request" else NOTES.get(action, ""),
        )
        for place, action in enumerate(actions)
    ]
    status, rows = walk(Subject.link, moves)
    link = {
        "account_id": account.id,
        "credit_code": owner.enterprise.credit_code,
        "enterprise_id": owner.enterprise.id,
        "status": status,
        "can_edit": can_edit,
        "can_book": True,
        "requested_at": moves[0].at,
    }
    id = writer.add(Link, link)
    for row in rows:
        writer.add(StatusChange, row | {"subject_id": id})
    if status == LinkStatus.granted:
        owner.bookers.append(account)
