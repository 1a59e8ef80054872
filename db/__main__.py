"""The command line: `python -m db --help`. Exit code 0 is success, 1 findings, 2 refused."""

import argparse
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from catalog import reading

# The names of db.models.Dataset, whose tables are not loaded to read a command.
DATASETS = ("catalog", "divisions")


class Parser(argparse.ArgumentParser):
    """A parser that refuses with one sentence instead of its usage."""

    def error(self, message: str) -> NoReturn:
        """Point to --help and leave with 2."""
        self.exit(2, "命令不完整或写错，请用 python -m db --help 查看用法\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    options.started = time.perf_counter()
    # To load what a command needs takes as long as some workbooks: the file is read meanwhile.
    with reading.begin(options.file if options.run == "import_ledger" else None) as options.begun:
        from db import commands

        return commands.run(getattr(commands, options.run), options)


def parser() -> Parser:
    """The commands and their options."""
    made = Parser(prog="python -m db", description="约检台的数据库（DATABASE_URL，默认 data/yuejian.db）")
    listed = made.add_subparsers(required=True, metavar="命令", parser_class=Parser)
    _add_setup(listed)
    _add_files(listed)
    _add_upkeep(listed)
    return made


def _add_setup(listed: Any) -> None:
    """What an operator does to begin."""
    command = listed.add_parser("upgrade", help="建立或升级数据表，载入基础数据")
    command.set_defaults(run="upgrade")
    command = listed.add_parser("demo", help="向空数据库写入演示数据")
    command.add_argument("--enterprises", type=int, default=40, metavar="N", help="使用单位数")
    command.add_argument("--instruments", type=int, default=3000, metavar="M", help="器具数")
    command.set_defaults(run="fill_demo")
    command = listed.add_parser("create-admin", help="新增管理员账号")
    command.add_argument("username", metavar="账号名")
    command.add_argument("--name", default="管理员", metavar="姓名", help="姓名")
    command.add_argument("--password-env", metavar="变量名", help="从这个环境变量读取密码")
    command.set_defaults(run="create_admin")


def _add_files(listed: Any) -> None:
    """What goes in and comes out as a file."""
    command = listed.add_parser("import-ledger", help="把台账文件导入一个使用单位的台账")
    command.add_argument("file", type=Path, metavar="FILE", help="xlsx、xls、ods 或 csv 文件")
    command.add_argument("--enterprise", required=True, metavar="CODE", help="使用单位的统一社会信用代码")
    command.add_argument("--by", metavar="USERNAME", help="以哪个账号的名义，默认为该单位的企业账号")
    command.add_argument("--dry-run", action="store_true", help="只检查，不写入")
    command.add_argument("--errors", type=Path, metavar="OUT.xlsx", help="有错误时写出标注后的文件")
    command.add_argument("--partial", action="store_true", help="只导入正确的行，跳过有错误的行")
    command.set_defaults(run="import_ledger")
    command = listed.add_parser("export-ledger", help="把台账导出为 xlsx 或 csv 文件，改好后可以再导入")
    command.add_argument("out", type=Path, metavar="OUT.xlsx", help="要写的文件，以 .xlsx 或 .csv 结尾")
    command.add_argument("--enterprise", metavar="CODE", help="只导出统一社会信用代码为 CODE 的使用单位")
    command.add_argument("--by", metavar="USERNAME", help="以哪个账号的名义，默认不限范围")
    command.add_argument("--address", default="", help="操作者的网络地址，写入审计日志")
    command.add_argument("--filters", default="{}", metavar="JSON", help="筛选条件，名称与台账页面的网址相同")
    command.set_defaults(run="export_ledger")
    command = listed.add_parser("export-audit", help="把审计日志导出为 xlsx 或 csv 文件")
    command.add_argument("out", type=Path, metavar="OUT.xlsx", help="要写的文件，以 .xlsx 或 .csv 结尾")
    command.add_argument("--by", required=True, metavar="USERNAME", help="以哪个管理员账号的名义")
    command.add_argument("--address", default="", help="操作者的网络地址，写入审计日志")
    command.add_argument("--filters", default="{}", metavar="JSON", help="筛选条件，名称与审计日志的网址相同")
    command.set_defaults(run="export_audit")
    command = listed.add_parser("load-edition", help="载入新的强检器具目录或行政区划，到日期生效")
    command.add_argument("file", type=Path, metavar="FILE", help="xlsx、xls、ods 或 csv 文件")
    command.add_argument("--dataset", required=True, choices=DATASETS, help="载入哪张表")
    command.add_argument("--name", required=True, metavar="NAME", help="版本名称")
    command.add_argument("--effective-on", metavar="DAY", help="生效日期，如 2027-01-01，默认今天")
    command.add_argument("--by", metavar="USERNAME", help="以哪个管理员的名义，默认最早的管理员账号")
    command.add_argument("--unofficial", action="store_true", help="不是官方发布的版本")
    command.add_argument("--dry-run", action="store_true", help="只看差别，不载入")
    command.set_defaults(run="load_edition")


def _add_upkeep(listed: Any) -> None:
    """What is done every day, and what looks after the database."""
    command = listed.add_parser(
        "deliver", help="发送待发消息，直到停止；网关由 YUEJIAN_SMS_*、YUEJIAN_SMTP_* 指定"
    )
    command.add_argument("--once", action="store_true", help="发完现在到时间的消息就结束")
    command.set_defaults(run="deliver")
    command = listed.add_parser("remind", help="写下今天的到期提醒，等待发送（系统设置中须开启）")
    command.set_defaults(run="remind")
    command = listed.add_parser(
        "tidy", help="清理超过保留期限的个人信息（期限见系统设置），服务器每天也会自动执行"
    )
    command.set_defaults(run="tidy")
    command = listed.add_parser("check", help="检查数据库，核对每个状态与流程记录")
    command.add_argument("--audit-head", metavar="条数:摘要", help="以前用 audit-head 打印并留存的内容")
    command.set_defaults(run="check")
    command = listed.add_parser("audit-head", help="打印审计日志的条数和摘要，抄存到别处，供 check 核对")
    command.set_defaults(run="audit_head")


if __name__ == "__main__":
    code = main()
    from db.engine import engine

    if engine.cache_info().currsize:
        # SQLite moves what was written into its one file when the last connection is closed.
        engine().dispose()
    # The process ends: to look for garbage among all it holds would take as long as its start.
    gc.freeze()
    sys.exit(code)
