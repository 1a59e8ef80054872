"""What the commands of `python -m db` do. Each returns its exit code: 0 success, 1 findings.

Each raises Refused with one sentence for the person at the terminal. What only one command needs is loaded by
that command, so that the others begin sooner.
"""

import argparse
import gc
import getpass
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlmodel import Session, col, select

from db import audit, clock, imports
from db.engine import database_url, engine, reading, transaction
from db.errors import Refused
from db.models import Account, Dataset, Enterprise, Role

# What the audit log names where a page would stand.
PLACE = "命令行"


def run(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Do one of the commands below; its exit code, 2 when it is refused."""
    try:
        return command(options)
    except Refused as refusal:
        return _refuse(str(refusal))
    except IntegrityError:
        raise  # a defect, and no fault of the database
    except (DatabaseError, OSError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        where = _place(make_url(database_url()))
        advice = "请检查 DATABASE_URL，或先运行 python -m db upgrade"
        return _refuse(f"数据库不可用（{where}）：{reason}；{advice}")


def _place(url: URL) -> str:
    """Which database, without who signs in to it; a password may stand among its options too."""
    return str(URL.create(url.drivername, host=url.host, port=url.port, database=url.database))


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def upgrade(options: argparse.Namespace) -> int:
    """Bring tables and reference data up to date."""
    from db import schema

    schema.upgrade()
    print(f"数据库已是最新版本 {schema.head()}")
    return 0


def fill_demo(options: argparse.Namespace) -> int:
    """Fill an empty database; one that holds anything is left alone, so that `make run` may be repeated."""
    if options.enterprises < 1 or options.instruments < 1:
        raise Refused("--enterprises 和 --instruments 请填正整数")
    from db import demo

    with reading() as session:
        is_empty = demo.is_empty(session)
    if not is_empty:
        print("数据库里已有数据，演示数据没有写入")
        return 0
    with transaction() as session:
        audit.attribute(session, by=None, place=PLACE)
        counts = demo.fill(session, options.enterprises, options.instruments)
    print("演示数据已写入：" + "，".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def create_admin(options: argparse.Namespace) -> int:
    """Add an administrator; the password comes from a prompt or a variable, never from the arguments."""
    from db import accounts

    password = os.environ.get(options.password_env, "") if options.password_env else _asked()
    with transaction() as session:
        audit.attribute(session, by=None, place=PLACE)
        account = accounts.create_administrator(
            session, username=options.username, full_name=options.name, password=password
        )
    print(f"已新增管理员 {account.username}")
    return 0


def _asked() -> str:
    typed = getpass.getpass("密码：") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise Refused("没有输入密码，请在终端中输入，或用 --password-env 指定存放密码的环境变量")
    return typed


def import_ledger(options: argparse.Namespace) -> int:
    """Import a file into one ledger; the last line is one JSON object. Exit code 1: rows were refused."""
    _check_source(options.file)
    if options.errors:
        _check_errors_file(options.errors, options.file)
    with reading() as session:
        enterprise_id, account_id = _for_whom(session, options.enterprise, options.by)
    # The rows are kept to the end: to look for garbage among them again and again costs a tenth of the time.
    gc.disable()
    try:
        outcome, is_written = imports.import_file(
            options.file,
            enterprise_id,
            account_id,
            is_partial=options.partial,
            is_dry=options.dry_run,
            errors=options.errors,
            begun=options.begun,
        )
    finally:
        gc.enable()
    totals = dict(outcome.totals)
    for note in outcome.notes:
        print(note)
    print(_told(totals, outcome.refused, is_written, options))
    if not is_written and not options.dry_run:
        totals |= {"added": 0, "updated": 0}
    print(json.dumps(totals | {"seconds": round(time.perf_counter() - options.started, 2)}))
    return 1 if outcome.refused else 0


def _check_source(path: Path) -> None:
    try:
        is_there = path.is_file()
    except OSError:  # in a folder that is closed, or no name at all
        is_there = False
    if not is_there:
        raise Refused(f"没有这个文件：{path}")
    if not os.access(path, os.R_OK):
        raise Refused(f"没有权限读取这个文件：{path}")


def _check_errors_file(out: Path, source: Path) -> None:
    """Refuse beforehand what could not be written after the rows are in."""
    if out.suffix.lower() != ".xlsx":
        raise Refused(f"--errors 请写以 .xlsx 结尾的文件：{out}")
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise Refused(f"--errors 的文件无法写入，请换一个文件夹或文件名：{out}")
    if out.exists() and out.samefile(source):
        raise Refused("--errors 不能与要导入的文件相同，请换一个文件名")


def _for_whom(session: Session, code: str, username: str | None) -> tuple[int, int]:
    """The enterprise of that credit code, and the account that acts: the one named, or its own."""
    owner = _owner(session, code)
    if username:
        return owner.id, _account(session, username).id
    own = select(Account).where(Account.enterprise_id == owner.id, Account.role == Role.enterprise)
    by = session.exec(own.where(col(Account.is_active)).order_by(col(Account.id))).first()
    if by is None:
        raise Refused(f"{owner.name} 没有企业账号，请用 --by 指定账号")
    return owner.id, by.id


def _owner(session: Session, code: str) -> Enterprise:
    owner = session.exec(select(Enterprise).where(Enterprise.credit_code == code)).first()
    if owner is None:
        raise Refused(f"没有统一社会信用代码为 {code} 的使用单位")
    return owner


def _account(session: Session, username: str) -> Account:
    named = select(Account).where(Account.username == username, col(Account.is_active))
    by = session.exec(named).first()
    if by is None:
        raise Refused(f"没有账号 {username}，或账号已停用")
    return by


def _told(totals: dict[str, int], refused: int, is_written: bool, options: argparse.Namespace) -> str:
    done = "新增 {added}，修改 {updated}，未变 {unchanged}，错误 {invalid}，重复 {duplicates}".format(
        **totals
    )
    if is_written:
        return f"已导入 {options.file.name}：{done}"
    if options.dry_run:
        return f"试运行，没有写入任何数据。如导入 {options.file.name}：{done}"
    return f"有 {refused} 行需要改正，没有写入任何数据。如改正或加上 --partial：{done}"


def export_ledger(options: argparse.Namespace) -> int:
    """Write a ledger to a file; the last line is one JSON object with the rows and seconds it took."""
    from db import exports, ledger_filters

    filters = ledger_filters.read(_parsed(options.filters))
    with reading() as session:
        if options.enterprise:
            filters = replace(filters, enterprise_id=_owner(session, options.enterprise).id)
        account_id = _account(session, options.by).id if options.by else None
    return _export(options, "行", lambda: exports.save(options.out, filters, account_id=account_id))


def export_audit(options: argparse.Namespace) -> int:
    """Write the audit log to a file; the last line is one JSON object with the rows and seconds it took."""
    from db import audit_exports, audit_log

    filters = audit_log.read_filters(_parsed(options.filters))
    with reading() as session:
        account_id = _account(session, options.by).id
    return _export(options, "条", lambda: audit_exports.save(options.out, filters, account_id=account_id))


def _export(options: argparse.Namespace, unit: str, save: Callable[[], int]) -> int:
    started = time.perf_counter()
    audit.FROM.set(options.address)
    try:
        count = save()
    except OSError as error:
        raise Refused(f"无法写入 {options.out}：{error.strerror}，请改用其他位置") from error
    print(f"已导出 {count:,} {unit}到 {options.out}")
    print(json.dumps({"rows": count, "seconds": round(time.perf_counter() - started, 2)}))
    return 0


def audit_head(options: argparse.Namespace) -> int:
    """Print how many entries the audit log has and the digest of the last, for a note kept elsewhere."""
    from db import audit_chain

    with reading() as session:
        print(audit_chain.head(session))
    return 0


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused('--filters 应为 JSON 对象，例如 {"status": "in_use"}')
    return found


def deliver(options: argparse.Namespace) -> int:
    """Deliver until stopped, or with --once what is due now. Refused without a gateway."""
    from db import deliveries, gateway

    if not gateway.channels():
        raise Refused("没有配置网关，请设置 YUEJIAN_SMS_URL 或 YUEJIAN_SMTP_HOST")
    if not options.once:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        deliveries.run(stop)
        return 0
    tried = deliveries.run_once()
    print("另一个进程正在发送，这里没有发送" if tried is None else f"处理了 {tried} 条消息")
    return 0


def remind(options: argparse.Namespace) -> int:
    """Write the reminders of today into the outbox, once however often it is run."""
    from db import reminders

    with transaction() as session:
        count = reminders.queue(session)
    print(f"写下了 {count} 条到期提醒")
    return 0


def load_edition(options: argparse.Namespace) -> int:
    """Load a list; the last line is one JSON object. Exit code 1: rows need to be corrected."""
    from db import edition_differences, editions, workdays

    if not options.file.is_file():
        raise Refused(f"没有这个文件：{options.file}")
    dataset = Dataset[options.dataset]
    day = workdays.read_day(options.effective_on) if options.effective_on else clock.today()
    listed = editions.read(dataset, options.file.name, options.file.read_bytes())
    for problem in listed.problems:
        print(f"第 {problem.row} 行“{problem.heading}”{problem.value}：{problem.sentence}")
    with transaction() as session:
        by = _administrator(session, options.by)
        found = edition_differences.find(session, dataset, listed, by=by)
        successors = {row.code: row.suggestion for row in found.retired if row.suggestion}
        if not (options.dry_run or listed.problems):
            editions.stage(
                session,
                dataset,
                listed,
                by=by,
                name=options.name,
                effective_on=day,
                is_official=not options.unofficial,
                successors=successors,
            )
    counts = {
        "added": len(found.added),
        "changed": len({one.code for one in found.changed}),
        "retired": len(found.retired),
        "unchanged": found.unchanged,
        "problems": len(listed.problems),
    }
    print(json.dumps(counts))
    return 1 if listed.problems else 0


def _administrator(session: Session, username: str | None) -> Account:
    if username:
        return _account(session, username)
    rows = select(Account).where(Account.role == Role.administrator, col(Account.is_active))
    found = session.exec(rows.order_by(col(Account.id))).first()
    if found is None:
        raise Refused("还没有管理员账号，请先运行 python -m db create-admin")
    return found


def tidy(options: argparse.Namespace) -> int:
    """Delete what has been kept long enough, and print how much."""
    from db import tidying

    counts = tidying.run()
    print("已清理：" + "，".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong, one line each; exit code 1 when there is anything."""
    from db import audit_chain, checks, schema

    noted = audit_chain.read_head(options.audit_head) if options.audit_head else None
    with engine().connect() as connection:
        if schema.revision(connection) != schema.head():
            raise Refused("数据库版本不是最新，请先运行 python -m db upgrade")
    with reading() as session:
        found = checks.findings(session, noted)
    for sentence in found:
        print(sentence)
    print("检查完毕，没有发现问题" if not found else f"检查完毕，发现 {len(found)} 处问题")
    return 1 if found else 0
