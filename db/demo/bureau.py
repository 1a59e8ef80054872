"""The bureau of 杭州市: staff, institutions, and who is authorized for what.

Some districts have no institution of their own, one institution is suspended, one has let its
authorizations run out, and a few kinds nobody may verify: so every reason for an unassigned line occurs.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from db.assignment import Rule, Rules
from db.demo.diary import Diary, moment
from db.demo.writing import Writer
from db.models import Account, Authorization, Institution, Role
from db.reference import KindRow

HANGZHOU, XIHU = "330100", "330106"
DISTRICTS = (
    *("330102", "330105", "330106", "330108", "330109", "330110", "330111"),
    *("330112", "330113", "330114", "330122", "330127", "330182"),
)
FOUNDED, SUSPENDED, EXPIRED = 1100, 40, 75


@dataclass(frozen=True)
class Grant:
    """Authorizations of one act: categories (three digits) and kinds (five) for areas.

    `ends` counts days from today and is negative for what has run out.
    """

    codes: str
    areas: tuple[str, ...]
    ends: int


@dataclass(frozen=True)
class Charter:
    """What an institution starts with."""

    code: str
    name: str
    division_code: str
    username: str
    clerk: str
    verifiers: tuple[str, str, str]
    grants: tuple[Grant, ...]
    is_suspended: bool = False


CHARTERS = (
    Charter(
        "HZJL",
        "杭州市钱江计量检定中心",
        HANGZHOU,
        "prefecture01",
        "傅静怡",
        ("梁博文", "施雅琴", "戴一鸣"),
        (
            Grant("902 903 904 905 906 909 911 913 914 915 916 917 919 920 922 923 926", (HANGZHOU,), 730),
            Grant("90101 92401", (HANGZHOU,), 400),
            Grant("91201", (HANGZHOU,), 62),
            Grant("91801", (HANGZHOU,), 25),
            Grant("92101", ("330102", "330105", "330106", "330108", "330109", "330110"), 365),
            Grant("925 928", (HANGZHOU,), -EXPIRED),
        ),
    ),
    Charter(
        "XHJL",
        "西湖区湖山计量检定所",
        XIHU,
        "county01",
        "钟晓岚",
        ("汪志远", "郎秀梅", "葛明"),
        (Grant("902 911 920 923", (XIHU,), 500), Grant("91701", (XIHU,), 80)),
    ),
    Charter(
        "XSJL",
        "萧山区湘湖计量检定所",
        "330109",
        "county02",
        "来国平",
        ("瞿海峰", "来丽萍", "华建江"),
        (Grant("902 911 913 917 918 919 920", ("330109",), 300), Grant("90201", ("330108",), 300)),
    ),
    Charter(
        "YHJL",
        "余杭区良渚计量检定所",
        "330110",
        "county03",
        "姚佳敏",
        ("沈立新", "俞芳", "费宏伟"),
        (Grant("902 911 917 920", ("330110",), 420), Grant("90201 91701", ("330113", XIHU), 210)),
    ),
    Charter(
        "FYJL",
        "富阳区富春计量检定所",
        "330111",
        "county04",
        "章永强",
        ("蒋文斌", "章慧", "裘东"),
        (Grant("902 911 917", ("330111",), 45),),
    ),
    Charter(
        "LAJL",
        "临安区天目计量检定所",
        "330112",
        "county05",
        "帅婷婷",
        ("童建华", "帅军", "骆云"),
        (Grant("902 911 90801", ("330112",), 600),),
    ),
    Charter(
        "TLJL",
        "桐庐县桐江计量检定所",
        "330122",
        "county06",
        "方春燕",
        ("申屠亮", "方小平", "皇甫洁"),
        (Grant("902 911 920", ("330122",), 250),),
    ),
    Charter(
        "CAJL",
        "淳安县千岛计量检定所",
        "330127",
        "county07",
        "余建新",
        ("鲁国庆", "余晓红", "汪洋"),
        (Grant("902 911 90801 92101", ("330127",), 320),),
        is_suspended=True,
    ),
    Charter(
        "JDJL",
        "建德市新安计量检定所",
        "330182",
        "county08",
        "洪秀芳",
        ("邵卫东", "洪亮", "翁玉兰"),
        (Grant("902 911 917 90801", ("330182",), -EXPIRED),),
    ),
)
STAFF = (
    ("administrator", Role.administrator, "俞志明", None),
    ("reviewer01", Role.reviewer, "周晓雯", HANGZHOU),
    ("reviewer02", Role.reviewer, "吴国强", HANGZHOU),
    ("supervisor01", Role.supervisor, "沈越", HANGZHOU),
    ("supervisor02", Role.supervisor, "叶丽娟", XIHU),
)


@dataclass
class Bureau:
    """Those who act for the bureau and its institutions, and the rules of assignment day by day."""

    staff: dict[str, Account]
    clerks: dict[int, Account]
    charters: dict[int, Charter]
    authorizations: list[Authorization]
    category_of: dict[int, int]
    suspended_on: date
    load: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    turned_away: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    _rules: dict[date, Rules] = field(default_factory=dict)

    @property
    def prefecture_id(self) -> int:
        """The institution of the prefecture."""
        return next(id for id, one in self.charters.items() if one.division_code == HANGZHOU)

    def rules_on(self, day: date) -> Rules:
        """The rules of assignment as they stood on `day`; load and returned lines are one for all days."""
        if day not in self._rules:
            self._rules[day] = self._read_rules(day)
        return self._rules[day]

    def _read_rules(self, day: date) -> Rules:
        found = Rules(category_of=self.category_of, open_count=self.load, turned_away=self.turned_away)
        for one in self.authorizations:
            key = ("kind", one.kind_id) if one.kind_id is not None else ("category", one.category_id or 0)
            rule = Rule(
                institution_id=one.institution_id,
                is_valid=one.valid_from <= day <= one.valid_until,
                is_suspended=self.charters[one.institution_id].is_suspended and day >= self.suspended_on,
            )
            found.rules[one.division_code, *key].append(rule)
        return found


def found(writer: Writer, diary: Diary, kinds: dict[str, KindRow], password_hash: str) -> Bureau:
    """Write staff, institutions, their clerks and authorizations."""
    at = moment(diary.worked(diary.ago(FOUNDED)))
    made = Bureau(
        staff={},
        clerks={},
        charters={},
        authorizations=[],
        category_of={row.id: row.category_id for row in kinds.values()},
        suspended_on=diary.ago(SUSPENDED),
    )
    for username, role, name, division_code in STAFF:
        made.staff[username] = add_account(
            writer,
            at,
            password_hash,
            username=username,
            role=role,
            full_name=name,
            division_code=division_code,
            # Staff renew theirs in time: nobody who looks around should first have to.
            password_changed_at=moment(diary.worked_ago(1)),
        )
    for place, charter in enumerate(CHARTERS, start=1):
        id = writer.add(Institution, _institution(charter, place, at))
        made.charters[id] = charter
        made.clerks[id] = add_account(
            writer,
            at,
            password_hash,
            username=charter.username,
            role=Role.institution,
            full_name=charter.clerk,
            institution_id=id,
        )
        for grant in charter.grants:
            _authorize(writer, diary, made, kinds, id, grant)
    return made


def _institution(charter: Charter, place: int, at: Any) -> dict[str, Any]:
    return {
        "code": charter.code,
        "name": charter.name,
        "division_code": charter.division_code,
        "address": f"示范路 {place * 8} 号",
        "telephone": f"0571-555501{place:02}",
        "is_suspended": charter.is_suspended,
        "created_at": at,
    }


def add_account(writer: Writer, at: Any, password_hash: str, **values: Any) -> Account:
    """Write one account made at `at`, and give it with its id."""
    values = {"created_at": at, "password_changed_at": at} | values
    account = Account(password_hash=password_hash, **values)
    account.id = writer.counts[Account] + 1
    writer.add(Account, account.model_dump())
    return account


def _authorize(
    writer: Writer, diary: Diary, made: Bureau, kinds: dict[str, KindRow], institution_id: int, grant: Grant
) -> None:
    valid_from = diary.ago(FOUNDED - 30)
    for code in grant.codes.split():
        for area in grant.areas:
            row = Authorization(
                institution_id=institution_id,
                division_code=area,
                valid_from=valid_from,
                valid_until=diary.ago(-grant.ends),
                created_at=moment(diary.worked(valid_from)),
                created_by_id=made.staff["supervisor01"].id,
                **_what(kinds, code),
            )
            made.authorizations.append(row)
            writer.add(Authorization, row.model_dump(exclude={"id"}))


def _what(kinds: dict[str, KindRow], code: str) -> dict[str, Any]:
    if len(code) == 5:
        return {"kind_id": kinds[code].id}
    return {"category_id": next(row.category_id for row in kinds.values() if row.code.startswith(code))}
