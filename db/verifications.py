"""检定结果: the result of one line, its certificate or notice, and 有效期至 in the ledger."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from db import clock, counters, instruments, reach, workflow
from db.errors import Conflict
from db.fields import Form
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Conclusion,
    Enterprise,
    Institution,
    Instrument,
    Kind,
    Subject,
    Verification,
    VerificationMode,
    VerificationType,
)
from db.reference import KindRow


@dataclass(frozen=True)
class Result:
    """What the institution types for one or several lines; an empty `certificate_number` is given out."""

    verification_type: VerificationType
    verified_on: date
    conclusion: Conclusion
    regulation: str
    verifier: str
    checker: str
    measurement_standard: str = ""
    valid_until: date | None = None
    certificate_number: str = ""
    remark: str = ""


def default_valid_until(kind: Kind | KindRow, verified_on: date) -> date | None:
    """检定日期 + interval − 1 day (ours), or + limit of use for kinds rotated out; None where not known."""
    months = validity_months(kind)
    return months_later(verified_on, months) - timedelta(1) if months else None


def validity_months(kind: Kind | KindRow) -> int | None:
    """How many months a result holds: the interval, or the limit of use for kinds rotated out."""
    if kind.verification_mode == VerificationMode.first_only_rotate:
        return kind.limit_of_use_months
    return kind.interval_months


def months_later(day: date, months: int) -> date:
    """The same day `months` later, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def record(session: Session, line_ids: Sequence[int], result: Result, *, by: Account) -> list[Verification]:
    """登记结果 for lines in verification, all or none.

    A pass issues a certificate number and moves 有效期至, a rejection issues the number of a
    检定结果通知书 (办法 1987 art. 9). Raises Refused with every wrong field, NotFound, or Conflict.
    """
    institution_id = reach.institution_id(by)
    lines = reach.held_lines(session, line_ids, by)
    values = _checked(session, lines, result)
    workflow.move(
        session, Subject.line, lines, "complete", by, values["remark"], concerning_id=institution_id
    )
    typed = values.pop("certificate_number")
    numbers = [typed] if typed else _numbers(session, institution_id, values, len(lines))
    values |= {"institution_id": institution_id, "recorded_by_id": by.id}
    made = [_verification(session, *pair, values) for pair in zip(lines, numbers, strict=True)]
    session.add_all(made)
    try:
        session.flush()
    except IntegrityError:
        text = "该证书编号已被使用，请核对后重新填写"
        raise Conflict(text, {"certificate_number": text}) from None
    for one in made:
        instrument = session.get_one(Instrument, one.instrument_id)
        instruments.move_validity(session, instrument, one.valid_until, one.verified_on, one.conclusion, by)
    return made


def _checked(session: Session, lines: Sequence[AppointmentLine], result: Result) -> dict[str, Any]:
    form = Form()
    values: dict[str, Any] = {
        "verification_type": form.choice(
            "verification_type", "检定类别", VerificationType, result.verification_type
        ),
        "conclusion": form.choice("conclusion", "结论", Conclusion, result.conclusion),
        "verified_on": form.day("verified_on", "检定日期", result.verified_on, required=True),
        "regulation": form.text("regulation", "检定依据", result.regulation, 120, required=True),
        "verifier": form.text("verifier", "检定员", result.verifier, 60, required=True),
        "checker": form.text("checker", "核验员", result.checker, 60, required=True),
        "measurement_standard": form.text(
            "measurement_standard", "标准装置", result.measurement_standard, 200
        ),
        "valid_until": form.day("valid_until", "有效期至", result.valid_until),
        "certificate_number": form.text("certificate_number", "证书编号", result.certificate_number, 60),
        "remark": form.text("remark", "备注", result.remark, 500),
    }
    if values["verifier"] and values["verifier"] == values["checker"]:
        form.say("checker", "核验员不能与检定员是同一人")
    _check_days(session, form, lines, values)
    if values["certificate_number"] and len(lines) > 1:
        form.say("certificate_number", "多台器具一起登记时，证书编号由系统逐台编号，请留空")
    form.done()
    return values


def _check_days(
    session: Session, form: Form, lines: Sequence[AppointmentLine], values: dict[str, Any]
) -> None:
    verified_on, valid_until = values["verified_on"], values["valid_until"]
    if verified_on is None:
        return
    begun_on = max((line.begun_on for line in lines if line.begun_on), default=verified_on)
    if not begun_on <= verified_on <= clock.today():
        form.say("verified_on", f"“检定日期”应在开始检定（{begun_on:%Y-%m-%d}）至今天之间")
    if values["conclusion"] == Conclusion.rejected:
        values["valid_until"] = None
    elif valid_until is not None and valid_until < verified_on:
        form.say("valid_until", "“有效期至”不能早于检定日期")
    elif valid_until is None and any(_needs_validity(session, line, verified_on) for line in lines):
        form.say("valid_until", "目录未给出该种别的检定周期，请按检定规程填写“有效期至”")


def _needs_validity(session: Session, line: AppointmentLine, verified_on: date) -> bool:
    kind = session.get(Kind, line.kind_id) if line.kind_id else None
    if kind is None:
        return True
    is_once = kind.verification_mode == VerificationMode.first_only_scrap
    return not is_once and default_valid_until(kind, verified_on) is None


def _numbers(session: Session, institution_id: int, values: dict[str, Any], count: int) -> list[str]:
    """Certificate numbers such as HZJL-2026-000123, notices with a T before the year (ours).

    A number of the series that someone typed before is passed over.
    """
    institution = session.get_one(Institution, institution_id)
    mark = "T" if values["conclusion"] == Conclusion.rejected else ""
    series = f"{institution.code}-{mark}{values['verified_on'].year}"
    free: list[str] = []
    while len(free) < count:
        fresh = [f"{series}-{number:06}" for number in counters.take(session, series, count - len(free))]
        known = col(Verification.certificate_number).in_(fresh)
        taken = set(session.exec(select(Verification.certificate_number).where(known)))
        free += [number for number in fresh if number not in taken]
    return free


def _verification(
    session: Session, line: AppointmentLine, number: str, values: dict[str, Any]
) -> Verification:
    values = dict(values)
    kind = session.get(Kind, line.kind_id) if line.kind_id else None
    if values["valid_until"] is None and kind and values["conclusion"] == Conclusion.passed:
        values["valid_until"] = default_valid_until(kind, values["verified_on"])
    return Verification(
        line_id=line.id, instrument_id=line.instrument_id, certificate_number=number, **values
    )


COLUMNS: tuple[Any, ...] = (
    Verification.id,
    Verification.certificate_number,
    Verification.conclusion,
    Verification.verification_type,
    Verification.verified_on,
    Verification.valid_until,
    Verification.regulation,
    Verification.verifier,
    Verification.checker,
    Verification.measurement_standard,
    Verification.remark,
    Verification.instrument_id,
    AppointmentLine.snapshot,
    col(Enterprise.name).label("enterprise"),
    col(Institution.name).label("institution"),
    Appointment.number,
)


def page(
    session: Session,
    *,
    by: Account,
    text: str = "",
    conclusion: Conclusion | None = None,
    instrument_id: int | None = None,
    number: int = 1,
    size: int = 50,
) -> tuple[list[sa.Row[Any]], int]:
    """检定记录 within the asker's reach, the newest first, and the count of all that match.

    Columns as in COLUMNS. `text` looks in certificate numbers, enterprise names and the instrument's words.
    """
    conditions = [reach.lines(by)]
    if conclusion is not None:
        conditions.append(col(Verification.conclusion) == conclusion)
    if instrument_id is not None:
        conditions.append(col(Verification.instrument_id) == instrument_id)
    if word := text.strip():
        conditions.append(
            col(Verification.certificate_number).contains(word, autoescape=True)
            | col(Enterprise.name).contains(word, autoescape=True)
            | col(Instrument.search_text).contains(word.lower(), autoescape=True)
        )
    joined = (
        sa.select()
        .select_from(Verification)
        .join(AppointmentLine, col(Verification.line_id) == AppointmentLine.id)
        .join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .join(Instrument, col(Verification.instrument_id) == Instrument.id)
        .join(Institution, col(Verification.institution_id) == Institution.id)
        .where(*conditions)
    )
    rows = session.execute(
        joined.add_columns(*COLUMNS)
        .order_by(col(Verification.id).desc())
        .limit(min(size, 200))
        .offset((max(number, 1) - 1) * size)
    )
    return list(rows.all()), session.scalar(joined.add_columns(func.count())) or 0
