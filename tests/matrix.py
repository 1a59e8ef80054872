"""One record of everything, who may reach it and who may not, and a call of every operation on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session, select

from catalog.list_files import ListFile
from db import (
    audit_log,
    corrections,
    drafts,
    edition_differences,
    editions,
    imports,
    ledger,
    notifications,
    recoveries,
    registrations,
    saved_views,
    sign_ins,
)
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Attachment,
    Authorization,
    Cause,
    Conclusion,
    Correction,
    Dataset,
    Draft,
    Enterprise,
    Institution,
    Instrument,
    InstrumentChange,
    Kind,
    Link,
    Notification,
    RecoveryKind,
    RecoveryStatus,
    Role,
    VerificationType,
)
from db.notifications import NotificationState
from db.verifications import Result
from tests import make

NINGBO = "330200"
OWNER = "杭州顺丰锅炉有限公司"
JPEG = b"\xff\xd8\xff" + b"0" * 64
CSV = "器具名称,强检器具种别代码,出厂编号,生产厂家,使用地点行政区划代码,器具用途,送检方式\n"
CSV += "压力表,91101,HY900,上海银普仪表有限公司,330106,安全防护,送检\n"
RESULT = Result(
    VerificationType.subsequent, date(2026, 11, 23), Conclusion.passed, "JJG 52-2013", "王建国", "李秀英"
)
RECOVERY: dict[str, Any] = {
    "kind": RecoveryKind.password,
    "applicant_name": "陈师傅",
    "mobile": "13800138000",
    "file_name": "证明.jpg",
    "content": JPEG,
}
REGISTRATION: dict[str, Any] = {
    "credit_code": "91110108551385082Q",
    "name": "杭州顺昌气体有限公司",
    "division_code": make.XIHU,
    "mobile": "13900139000",
    "contact_name": "周敏",
    "username": "shunchang",
    "password": make.PASSWORD,
    "licence": JPEG,
    "licence_name": "营业执照.jpg",
}


@dataclass
class World:
    """The records, by noun, and the accounts: `insiders` reach them, `strangers` do not."""

    enterprise: Enterprise
    owner: Account
    institution: Institution
    insiders: dict[str, Account]
    strangers: dict[str, Account]
    records: dict[str, Any] = field(default_factory=dict)

    def id(self, noun: str) -> int:
        """The id of a record."""
        return int(self.records[noun].id)


def make_world(session: Session) -> World:
    """The records of one enterprise in 西湖区 and everybody around them."""
    enterprise = make.make_enterprise(session, OWNER)
    owner = make.make_account(session, enterprise_id=enterprise.id)
    institution = make.make_institution(session, "西湖区计量测试所")
    world = World(enterprise, owner, institution, {}, {})
    world.insiders = _insiders(session, world)
    world.strangers = _strangers(session, world)
    _add_records(session, world)
    session.flush()
    return world


def _insiders(session: Session, world: World) -> dict[str, Account]:
    person = make.make_account(session, Role.personal)
    make.make_link(session, person, world.enterprise)
    found = {
        Role.enterprise: world.owner,
        Role.personal: person,
        Role.institution: make.make_account(session, Role.institution, institution_id=world.institution.id),
        Role.reviewer: make.make_account(session, Role.reviewer),
        Role.supervisor: make.make_account(session, Role.supervisor),
        Role.administrator: make.make_account(session, Role.administrator),
    }
    return {role.name: account for role, account in found.items()}


def _strangers(session: Session, world: World) -> dict[str, Account]:
    found = {role.name: make.make_account(session, role) for role in Role}
    for role in ("reviewer", "supervisor"):
        found[role].division_code = NINGBO
    found["looker"] = make.make_account(session, Role.personal)
    make.make_link(session, found["looker"], world.enterprise, can_edit=False, can_book=False)
    for role in Role:
        like = world.insiders[role.name]
        found[f"suspended {role.name}"] = make.make_account(
            session,
            role,
            enterprise_id=like.enterprise_id,
            institution_id=like.institution_id,
            division_code=like.division_code,
            is_active=False,
        )
    make.make_link(session, found["suspended personal"], world.enterprise)
    return found


def _add_records(session: Session, world: World) -> None:
    clerk, owner = world.insiders["institution"], world.owner
    known = world.records
    known["instrument"] = make.make_instrument(session, owner, valid_until=date(2026, 12, 31))
    known["line"] = make.make_line(session, clerk, owner)
    known["appointment"] = session.get_one(Appointment, known["line"].appointment_id)
    known["authorization"] = session.exec(select(Authorization)).one()
    elsewhere = make.make_appointment(session, owner, division_code="330110")
    known["unassigned"] = session.exec(
        select(AppointmentLine).where(AppointmentLine.appointment_id == elsewhere.id)
    ).one()
    known["account"] = make.make_account(session, enterprise_id=world.enterprise.id)
    known["registration"] = registrations.submit(session, dict(REGISTRATION), make.PASSWORD_HASH)
    known["correction"] = _correction(session, known["instrument"], owner)
    known["batch"] = imports.upload(session, world.enterprise.id, "台账.csv", CSV.encode(), by=owner)
    known["attachment"] = session.get_one(Attachment, known["batch"].attachment_id)
    known["link"] = session.exec(select(Link).where(Link.account_id == world.insiders["personal"].id)).one()
    reached = {"account_id": owner.id, "division_code": make.XIHU}
    notifications.queue(session, "matrix", Cause.reminder, "13800138000", "有器具即将到期", **reached)
    known["message"] = session.exec(select(Notification)).one()
    known["edition"] = editions.stage(
        session,
        Dataset.catalog,
        listed(session),
        by=world.insiders["administrator"],
        name="2027 年版",
        effective_on=date(2027, 1, 1),
    )
    known["owner"] = session.get_one(Account, owner.id)
    known["recovery"] = recoveries.request(
        session, known["account"].id, by=world.insiders["reviewer"], **RECOVERY
    )
    known["view"] = saved_views.add(session, "ledger", "到期", {}, ["name"], by=owner)
    drafts.save(session, "ledger", {"name": "压力表"}, by=owner)
    known["draft"] = session.exec(select(Draft)).one()


def _correction(session: Session, instrument: Instrument, owner: Account) -> Correction:
    return corrections.request(
        session,
        instrument.id,
        date(2027, 1, 31),
        by=owner,
        reason="证书日期录错",
        file_name="证书.jpg",
        content=JPEG,
    )


def listed(session: Session, dataset: Dataset = Dataset.catalog) -> ListFile:
    """The list in force but for one name, as a file would hold it."""
    rows = edition_differences.in_force(session, dataset)
    next(reversed(rows.values()))["name"] += "（新）"
    return ListFile(rows=rows)


Call = Callable[[Session, World], tuple[tuple[Any, ...], dict[str, Any]]]


def _with(*nouns: str, **values: Any) -> Call:
    """A call with the ids of these records, then `values`."""
    return lambda session, world: (tuple(world.id(noun) for noun in nouns), dict(values))


def _many(noun: str, *rest: Any, **values: Any) -> Call:
    """A call with a list of one id, then `rest`."""
    return lambda session, world: (([world.id(noun)], *rest), dict(values))


def _owned(*rest: Any, **values: Any) -> Call:
    """A call with the id of the enterprise, then `rest`."""
    return lambda session, world: ((world.enterprise.id, *rest), dict(values))


def _plainly(*rest: Any, **values: Any) -> Call:
    """A call that names no record."""
    return lambda session, world: (rest, dict(values))


def _of_enterprise(**values: Any) -> Call:
    """A query about the enterprise, by keyword."""
    return lambda session, world: ((), {"enterprise_id": world.enterprise.id, **values})


def _sign_in(session: Session, account_id: int) -> int:
    """The id of a sign-in of the account."""
    account = session.get_one(Account, account_id)
    ticket = sign_ins.begin(session, account.username, account.password_hash, "", "test")
    sign_ins.redeem(session, ticket)
    return sign_ins.of_account(session, account_id)[0].id


def _typed(session: Session, world: World) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (world.enterprise.id, make.typed(session)), {}


def _filtered(session: Session, world: World) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (ledger.Filters(enterprise_id=world.enterprise.id),), {}


def _instrument_edits(session: Session, world: World) -> tuple[tuple[Any, ...], dict[str, Any]]:
    row: Instrument = world.records["instrument"]
    return ([(row.id, row.version, {"remark": "移至二号锅炉房"})],), {}


def _change(session: Session, world: World) -> int:
    """The newest change of the instrument."""
    here = InstrumentChange.instrument_id == world.id("instrument")
    return session.scalars(select(InstrumentChange.id).where(here)).first() or 0


def _authorize(session: Session, world: World) -> tuple[tuple[Any, ...], dict[str, Any]]:
    kind = session.exec(select(Kind).order_by(Kind.code)).first()
    values = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31), "kind_id": kind and kind.id}
    return (world.institution.id,), {"division_code": make.XIHU, **values}


def _institution_values(session: Session, world: World) -> tuple[tuple[Any, ...], dict[str, Any]]:
    values = {"division_code": make.XIHU, "address": "文三路 2 号", "telephone": "0571-87654321"}
    return (), {"institution_id": world.institution.id, "name": "西湖区计量测试院", **values}


def _set_together(session: Session, world: World) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (world.enterprise.id, "remark", "已搬迁", [world.id("instrument")]), {}


PLAN = {"planned_from": date(2026, 11, 25), "planned_until": date(2026, 11, 26)}
VALIDITY = {"valid_from": date(2026, 1, 1), "valid_until": date(2027, 6, 30)}
NEWCOMER = {"username": "newcomer", "full_name": "钱进", "password": make.PASSWORD, "role": Role.reviewer}

# The arguments of every operation but the session and `by`.
CALLS: dict[str, Call] = {
    "account_changes.change": _with("account", full_name="沈越", mobile=None, role=Role.enterprise),
    "account_changes.dependents": _with("account"),
    "identities.connect": _with("account", issuer="https://id.example.gov.cn", subject="u1001"),
    "identities.disconnect": _with("account"),
    "accounts.create": _plainly(**NEWCOMER),
    "accounts.change_password": _plainly(current=make.PASSWORD, new="Chengxin-2027"),
    "accounts.reset_password": _with("account", new="Chengxin-2027"),
    "accounts.suspend": _with("account"),
    "accounts.resume": _with("account"),
    "accounts.edit_profile": _plainly(full_name="沈越", mobile=""),
    "accounts.counts": _plainly(),
    "authenticators.confirm": _plainly("123456", address=""),
    "authenticators.offer": _plainly(),
    "authenticators.remove": _plainly("123456", address=""),
    "authenticators.reset": _with("account"),
    "sign_ins.end_mine": _plainly(),
    "sign_ins.end_one": lambda session, world: ((_sign_in(session, world.owner.id),), {}),
    "accounts.page": _plainly(),
    "appointments.submit": lambda session, world: ((world.enterprise.id, [world.id("instrument")]), {}),
    "appointment_pages.page": _of_enterprise(),
    "appointment_pages.find": _with("appointment"),
    "appointment_lines.page": _plainly(),
    "appointment_lines.count": _plainly(),
    "appointment_lines.by_appointment": _plainly(),
    "appointment_lines.history": _with("line"),
    "appointment_lines.newest_moves": _many("line"),
    "appointments.cancel": _many("line"),
    "appointments.accept": _many("line", **PLAN),
    "appointments.plan": _many("line", **PLAN),
    "appointments.decline": _many("line", reason="超出授权范围"),
    "appointments.terminate": _many("line", reason="器具已损坏"),
    "appointments.hand_back": _many("line", reason="设备检修"),
    "appointments.reassign": _many("line", reason="就近安排"),
    "appointments.begin": _many("line"),
    "assignment.candidates": _with("line"),
    "assignment.shared_candidates": _many("line"),
    "assignment.assign_by_hand": lambda session, world: (
        ([world.id("unassigned")], world.institution.id),
        {"reason": "就近安排"},
    ),
    "attachments.readable": _with("attachment"),
    "bulk_edits.set_together": _set_together,
    "bulk_edits.preview": _set_together,
    "batches.undo": _with("batch"),
    "batches.page": _owned(),
    "batches.count": _owned(),
    "batches.find": _with("batch"),
    "board.validity": _of_enterprise(),
    "board.validity_by_division": _plainly(),
    "board.by_status": _of_enterprise(),
    "board.by_division": _plainly(),
    "board.by_institution": _plainly(),
    "board.unassigned": _plainly(),
    "board.late": _plainly(),
    "candidates.search": lambda session, world: ((world.owner.username,), {}),
    "corrections.request": _with(
        "instrument", valid_until=date(2027, 2, 1), reason="录错", file_name="证书.jpg", content=JPEG
    ),
    "corrections.approve": _with("correction"),
    "corrections.decline": _with("correction", reason="证书不清晰"),
    "corrections.withdraw": _with("correction"),
    "corrections.page": _plainly(),
    "corrections.counts": _plainly(),
    "drafts.save": _plainly("ledger", {"name": "天平"}),
    "drafts.find": _plainly("ledger"),
    "drafts.drop": _plainly("ledger"),
    "edition_differences.find": lambda session, world: ((Dataset.catalog, listed(session)), {}),
    "editions.cancel": _with("edition"),
    "editions.page": _plainly(),
    "editions.stage": lambda session, world: (
        (Dataset.divisions, listed(session, Dataset.divisions)),
        {"name": "2027 年版", "effective_on": date(2027, 1, 1)},
    ),
    "enterprises.page": _plainly(),
    "enterprises.named": lambda session, world: ((str(world.enterprise.id),), {}),
    "exports.check": _filtered,
    "imports.upload": _owned("台账.csv", CSV.encode()),
    "imports.find": _with("batch"),
    "imports.match_again": lambda session, world: ((world.id("batch"),), {}),
    "imports.choose_columns": lambda session, world: ((world.id("batch"), {}), {}),
    "imports.discard": _with("batch"),
    "institutions.page": _plainly(),
    "institutions.save": _institution_values,
    "institutions.own": _plainly(),
    "institutions.suspend": lambda session, world: ((world.institution.id,), {}),
    "institutions.resume": lambda session, world: ((world.institution.id,), {}),
    "authorizations.count": _plainly(),
    "authorizations.page": _plainly(),
    "authorizations.authorize": _authorize,
    "authorizations.change_validity": lambda session, world: ((world.id("authorization"), 1), VALIDITY),
    "authorizations.revoke": lambda session, world: ((world.id("authorization"), 1), {}),
    "authorizations.gaps": _plainly(),
    "instruments.add": _typed,
    "instruments.problems": _typed,
    "instruments.edit": lambda session, world: (
        (world.id("instrument"), 1, {"remark": "移至二号锅炉房"}),
        {},
    ),
    "instruments.edit_many": _instrument_edits,
    "instruments.problems_of_many": _instrument_edits,
    "instruments.change_status": _many("instrument", "take_out_of_use", reason="停产检修"),
    "audit_exports.check": _plainly(audit_log.Filters()),
    "audit_log.read": _plainly(audit_log.Filters()),
    "audit_log.note_verification": _plainly(2, []),
    "audit_log.verify": _plainly(),
    "history.of_appointment": _with("appointment"),
    "history.of_link": _with("link"),
    "history.of_instrument": _with("instrument"),
    "history.of_registration": _with("registration"),
    "history.restore": lambda session, world: ((_change(session, world), 1), {}),
    "ledger.page": _filtered,
    "ledger.count": _filtered,
    "ledger.places": _owned(),
    "ledger.bookable": _owned(),
    "ledger.chosen": _many("instrument"),
    "ledger.find": _with("instrument"),
    "ledger_pages.read": _filtered,
    "ledger_pages.read_counted": _filtered,
    "ledger_pages.count": _filtered,
    "links.change_rights": _with("link", can_edit=True, can_book=False),
    "links.grant": _with("link", can_edit=True, can_book=True),
    "links.leave": _with("link"),
    "links.page": _plainly(),
    "links.refuse": _with("link", reason="非本单位人员"),
    "links.request": _plainly("91110108551385082Q"),
    "links.revoke": _with("link", reason="已离职"),
    "links.standing": _owned(),
    "links.waiting_count": _plainly(),
    "links.withdraw": _with("link"),
    "notifications.counts": _plainly(),
    "notifications.page": _plainly(state=NotificationState.waiting),
    "notifications.pass_on": _with("message"),
    "notifications.read": _with("message"),
    "mobiles.ask": _plainly("13700137000", make.PASSWORD, address="203.0.113.9"),
    "mobiles.change": _plainly("no such token"),
    "previews.begin_as": _plainly("no such token", Role.reviewer),
    "previews.begin": lambda session, world: (("no such token", world.id("account")), {}),
    "quality.counts": _of_enterprise(),
    "quality.holding": lambda session, world: (
        ("division_code", make.XIHU),
        {"enterprise_id": world.enterprise.id},
    ),
    "quality.retired_kinds": _of_enterprise(),
    "quality.retired_divisions": _of_enterprise(),
    "reach.enterprise": _owned(),
    "recoveries.approve": _with("recovery"),
    "recoveries.counts": _plainly(),
    "recoveries.decline": _with("recovery", reason="证明不清晰"),
    "recoveries.page": _plainly(status=RecoveryStatus.requested),
    "recoveries.request": _with("owner", **RECOVERY),
    "personal_data.of": _plainly(),
    "unmasking.unmask": lambda session, world: (("appointment", world.id("appointment"), "电话核实"), {}),
    "reviews.page": _plainly(),
    "reviews.waiting": _plainly(),
    "reviews.counts": _plainly(),
    "reviews.find": _with("registration"),
    "likeness.alike": _with("registration"),
    "reviews.approve": _with("registration"),
    "reviews.share": _plainly(),
    "reviews.send_back": _with("registration", reason="执照不清晰"),
    "reviews.decline": _with("registration", reason="不在辖区"),
    "saved_views.mine": _plainly("ledger"),
    "saved_views.add": _plainly("ledger", "近期", {}, ["name"]),
    "saved_views.change": lambda session, world: ((world.id("view"), {}, ["name"]), {}),
    "saved_views.rename": lambda session, world: ((world.id("view"), "别人的"), {}),
    "saved_views.problem": _plainly("ledger", "近期"),
    "saved_views.delete": _with("view"),
    "saved_views.make_default": _with("view"),
    "saved_views.keep_columns": _plainly("ledger", ["name"]),
    "settings.history": _plainly(),
    "settings.rows": _plainly(),
    "settings.save": _plainly({"review_days": 3}),
    "verifications.record": lambda session, world: (([world.id("line")], RESULT), {}),
    "verifications.page": _plainly(),
    "workdays.save_year": _plainly(2027, []),
}
