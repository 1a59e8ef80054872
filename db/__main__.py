"""The command line: upgrade, demo, create-admin, check. Exit code 0 success, 1 findings, 2 refused."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

from sqlalchemy.exc import OperationalError, ProgrammingError

from db import accounts, checks, demo, schema
from db.engine import database_url, engine, reading, transaction
from db.errors import Refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Refused as refusal:
        return _refuse(str(refusal))
    except (OperationalError, ProgrammingError) as error:
        reason = str(error.orig).strip().splitlines()[0]
        where = database_url().split("@")[-1]
        advice = "请检查 DATABASE_URL，或先运行 python -m db upgrade"
        return _refuse(f"数据库不可用（{where}）：{reason}；{advice}")


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    made = argparse.ArgumentParser(
        prog="python -m db", description="约检台的数据库（DATABASE_URL，默认 data/yuejian.db）"
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("upgrade", help="create or upgrade the tables and load the reference data")
    command.set_defaults(run=upgrade)
    command = commands.add_parser("demo", help="fill an empty database with a demo bureau")
    command.add_argument("--enterprises", type=int, default=40, metavar="N")
    command.add_argument("--instruments", type=int, default=3000, metavar="M")
    command.set_defaults(run=fill_demo)
    command = commands.add_parser("create-admin", help="add an administrator's account")
    command.add_argument("username")
    command.add_argument("--name", default="管理员", help="the person's name")
    command.add_argument("--password-env", metavar="VARIABLE", help="read the password from this variable")
    command.set_defaults(run=create_admin)
    command = commands.add_parser("check", help="check the database and every status against its history")
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
    with reading() as session:
        is_empty = demo.is_empty(session)
    if not is_empty:
        print("数据库里已有数据，演示数据没有写入")
        return 0
    with transaction() as session:
        counts = demo.fill(session, options.enterprises, options.instruments)
    print("演示数据已写入：" + "，".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def create_admin(options: argparse.Namespace) -> int:
    """Add an administrator; the password comes from a prompt or a variable, never from the arguments."""
    password = os.environ.get(options.password_env, "") if options.password_env else getpass.getpass("密码：")
    with transaction() as session:
        account = accounts.create_administrator(
            session, username=options.username, full_name=options.name, password=password
        )
    print(f"已新增管理员 {account.username}")
    return 0


def check(options: argparse.Namespace) -> int:
    """Print what is wrong, one line each; exit code 1 when there is anything."""
    with engine().connect() as connection:
        if schema.revision(connection) != schema.head():
            raise Refused("数据库版本不是最新，请先运行 python -m db upgrade")
    with reading() as session:
        found = checks.findings(session)
    for sentence in found:
        print(sentence)
    print("检查完毕，没有发现问题" if not found else f"检查完毕，发现 {len(found)} 处问题")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
