"""Command line: `python -m catalog template OUT.xlsx` writes the import template."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from catalog.workbook import TITLE, write_template

OK, REFUSED = 0, 2


class Parser(argparse.ArgumentParser):
    """A parser that refuses with one sentence instead of its usage."""

    def error(self, message: str) -> NoReturn:
        """Point to --help and leave with 2."""
        self.exit(REFUSED, "命令不完整或写错，请用 python -m catalog --help 查看用法\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when done, 2 with a sentence on stderr when refused."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    chosen = _parser().parse_args(arguments)
    if obstacle := _written(chosen.out):
        print(obstacle, file=sys.stderr)
        return REFUSED
    print(f"已写入 {chosen.out}")
    return OK


def _parser() -> Parser:
    parser = Parser(prog="python -m catalog", description="强检器具目录与导入模板")
    commands = parser.add_subparsers(required=True, metavar="命令", parser_class=Parser)
    template = commands.add_parser("template", help=f"写出《{TITLE}》", description=f"写出《{TITLE}》")
    template.add_argument("out", type=Path, metavar="OUT.xlsx", help="要写出的文件，已有的同名文件会被替换")
    return parser


def _written(path: Path) -> str | None:
    """Write the template, or say in one sentence why not."""
    if path.suffix.lower() != ".xlsx":
        return f"文件名应以 .xlsx 结尾，请改名后重试：{path}"
    try:
        if not path.parent.is_dir():
            return f"文件夹不存在，请先建立：{path.parent}"
        if path.is_dir():
            return f"这是一个文件夹，请另给文件名：{path}"
        write_template(path)
    except OSError:
        return f"无法写入 {path}，请检查权限和磁盘空间，并关闭正打开它的程序"
    return None


if __name__ == "__main__":
    sys.exit(main())
