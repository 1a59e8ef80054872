"""The command line: `python -m db --help`. Exit code 0 is success, 1 findings, 2 refused."""

import argparse
import gc
import getpass
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlmodel import Session, col, select

from db import (
    accounts,
    audit,
    audit_chain,
    audit_exports,
    audit_log,
    checks,
    clock,
    deliveries,
    edition_differences,
    editions,
    exports,
    gateway,
    imports,
    ledger_filters,
    reminders,
    schema,
    tidying,
    workdays,
)
from db.engine import database_url, engine, reading, transaction
from db.errors import Refused
from db.models import Account, Dataset, Enterprise, Role

# What the audit log names where a page would stand.
PLACE = "命令行"


class Parser(argparse.ArgumentParser):
    """A parser that refuses with one sentence instead of its usage."""

    def error(self, message: str) -> NoReturn:
        """Point to --help and leave with 2."""
        self.exit(2, "命令不完整或写错，请用 python -m db --help 查看用法\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Refused as refusal:
        return _refuse(str(refusal))
    except IntegrityError:
        raise  # a defect, and no fault of the database
    except (DatabaseError, OSError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        where = database_url().split("@")[-1]
        advice = "请检查 DATABASE_URL，或先运行 python -m db upgrade"
        return _refuse(f"数据库不可用（{where}）：{reason}；{advice}")


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def parser() -> Parser:
    """The commands and their options."""
    made = Parser(prog="python -m db", description="约检台的数据库（DATABASE_URL，默认 data/yuejian.db）")
    commands = made.add_subparsers(required=True, metavar="命令", parser_class=Parser)
    command = commands.add_parser("upgrade", help="建立或升级数据表，载入基础数据")
    command.set_defaults(run=upgrade)
    command = commands.add_parser("demo", help="向空数据库写入演示数据")
    command.add_argument("--enterprises", type=int, default=40, metavar="N", help="使用单位数")
    command.add_argument("--instruments", type=int, default=3000, metavar="M", help="器具数")
    command.set_defaults(run=fill_demo)
    command = commands.add_parser("create-admin", help="新增管理员账号")
    command.add_argument("username", metavar="账号名")
    command.add_argument("--name", default="管理员", metavar="姓名", help="姓名")
    command.add_argument("--password-env", metavar="变量名", help="从这个环境变量读取密码")
    command.set_defaults(run=create_admin)
    command = commands.add_parser("import-ledger", help="把台账文件导入一个使用单位的台账")
    command.add_argument("file", type=Path, metavar="FILE", help="xlsx、xls、ods 或 csv 文件")
    command.add_argument("--enterprise", required=True, metavar="CODE", help="使用单位的统一社会信用代码")
    command.add_argument("--by", metavar="USERNAME", help="以哪个账号的名义，默认为该单位的企业账号")
    command.add_argument("--dry-run", action="store_true", help="只检查，不写入")
    command.add_argument("--errors", type=Path, metavar="OUT.xlsx", help="有错误时写出标注后的文件")
    command.add_argument("--partial", action="store_true", help="只导入正确的行，跳过有错误的行")
    command.set_defaults(run=import_ledger)
    command = commands.add_parser("export-ledger", help="把台账导出为 xlsx 或 csv 文件，改好后可以再导入")
    command.add_argument("out", type=Path, metavar="OUT.xlsx", help="要写的文件，以 .xlsx 或 .csv 结尾")
    command.add_argument("--enterprise", metavar="CODE", help="只导出统一社会信用代码为 CODE 的使用单位")
    command.add_argument("--by", metavar="USERNAME", help="以哪个账号的名义，默认不限范围")
    command.add_argument("--address", default="", help="操作者的网络地址，写入审计日志")
    command.add_argument("--filters", default="{}", metavar="JSON", help="筛选条件，名称与台账页面的网址相同")
    command.set_defaults(run=export_ledger)
    command = commands.add_parser("export-audit", help="把审计日志导出为 xlsx 或 csv 文件")
    command.add_argument("out", type=Path, metavar="OUT.xlsx", help="要写的文件，以 .xlsx 或 .csv 结尾")
    command.add_argument("--by", required=True, metavar="USERNAME", help="以哪个管理员账号的名义")
    command.add_argument("--address", default="", help="操作者的网络地址，写入审计日志")
    command.add_argument("--filters", default="{}", metavar="JSON", help="筛选条件，名称与审计日志的网址相同")
    command.set_defaults(run=export_audit)
    command = commands.add_parser("audit-head", help="打印审计日志的条数和摘要，抄存到别处，供 check 核对")
    command.set_defaults(run=audit_head)
    command = commands.add_parser(
        "deliver", help="发送待发消息，直到停止；网关由 YUEJIAN_SMS_*、YUEJIAN_SMTP_* 指定"
    )
    command.add_argument("--once", action="store_true", help="发完现在到时间的消息就结束")
    command.set_defaults(run=deliver)
    command = commands.add_parser("remind", help="写下今天的到期提醒，等待发送（系统设置中须开启）")
    command.set_defaults(run=remind)
    command = commands.add_parser("load-edition", help="载入新的强检器具目录或行政区划，到日期生效")
    command.add_argument("file", type=Path, metavar="FILE", help="xlsx、xls、ods 或 csv 文件")
    command.add_argument("--dataset", required=True, choices=[one.name for one in Dataset], help="载入哪张表")
    command.add_argument("--name", required=True, metavar="NAME", help="版本名称")
    command.add_argument("--effective-on", metavar="DAY", help="生效日期，如 2027-01-01，默认今天")
    command.add_argument("--by", metavar="USERNAME", help="以哪个管理员的名义，默认最早的管理员账号")
    command.add_argument("--unofficial", action="store_true", help="不是官方发布的版本")
    command.add_argument("--dry-run", action="store_true", help="只看差别，不载入")
    command.set_defaults(run=load_edition)
    command = commands.add_parser(
        "tidy", help="清理超过保留期限的个人信息（期限见系统设置），服务器每天也会自动执行"
    )
    command.set_defaults(run=tidy)
    command = commands.add_parser("check", help="检查数据库，核对每个状态与流程记录")
    command.add_argument("--audit-head", metavar="条数:摘要", help="以前用 audit-head 打印并留存的内容")
    command.set_defaults(run=check)
    return made


def upgrade(options: argparse.Namespace) -> int:
    """Bring tables and reference data up to date."""
    schema.upgrade()
    print(f"数据库已是最新版本 {schema.head()}")
    return 0


def fill_demo(options: argparse.Namespace) -> int:
    """Fill an empty database; one that holds anything is left alone, so that `make run` may be repeated."""
    if options.enterprises < 1 or options.instruments < 1:
        raise Refused("--enterprises 和 --instruments 请填正整数")
    # Takes half a second to load, which no other command needs.
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
    started = time.perf_counter()
    if not options.file.is_file():
        raise Refused(f"没有这个文件：{options.file}")
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
        )
    finally:
        gc.enable()
    totals = dict(outcome.totals)
    print(_told(totals, outcome.refused, is_written, options))
    if not is_written and not options.dry_run:
        totals |= {"added": 0, "updated": 0}
    print(json.dumps(totals | {"seconds": round(time.perf_counter() - started, 2)}))
    return 1 if outcome.refused else 0


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
    started = time.perf_counter()
    audit.FROM.set(options.address)
    filters = ledger_filters.read(_parsed(options.filters))
    with reading() as session:
        if options.enterprise:
            filters = replace(filters, enterprise_id=_owner(session, options.enterprise).id)
        account_id = _account(session, options.by).id if options.by else None
    try:
        count = exports.save(options.out, filters, account_id=account_id)
    except OSError as error:
        raise Refused(f"无法写入 {options.out}：{error.strerror}，请改用其他位置") from error
    print(f"已导出 {count:,} 行到 {options.out}")
    print(json.dumps({"rows": count, "seconds": round(time.perf_counter() - started, 2)}))
    return 0


def export_audit(options: argparse.Namespace) -> int:
    """Write the audit log to a file; the last line is one JSON object with the rows and seconds it took."""
    started = time.perf_counter()
    audit.FROM.set(options.address)
    filters = audit_log.read_filters(_parsed(options.filters))
    with reading() as session:
        account_id = _account(session, options.by).id
    try:
        count = audit_exports.save(options.out, filters, account_id=account_id)
    except OSError as error:
        raise Refused(f"无法写入 {options.out}：{error.strerror}，请改用其他位置") from error
    print(f"已导出 {count:,} 条到 {options.out}")
    print(json.dumps({"rows": count, "seconds": round(time.perf_counter() - started, 2)}))
    return 0


def audit_head(options: argparse.Namespace) -> int:
    """Print how many entries the audit log has and the digest of the last, for a note kept elsewhere."""
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
    with transaction() as session:
        count = reminders.queue(session)
    print(f"写下了 {count} 条到期提醒")
    return 0


def load_edition(options: argparse.Namespace) -> int:
    """Load a list; the last line is one JSON object. Exit code 1: rows need to be corrected."""
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
    counts = tidying.run()
    print("已清理：" + "，".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong, one line each; exit code 1 when there is anything."""
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


if __name__ == "__main__":
    sys.exit(main())
