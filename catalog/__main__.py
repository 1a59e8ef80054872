"""Command line: `python -m catalog template OUT.xlsx`, and `lists OUT_FOLDER` for the two lists with it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from catalog.list_books import DIVISION_SHEET, KIND_SHEET, content, division_book, kind_book
from catalog.lists import shipped
from catalog.workbook import TITLE, write_template

OK, REFUSED = 0, 2


class Obstacle(Exception):
    """Why nothing was written, in one sentence."""


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
    try:
        written = chosen.write(chosen.out)
    except Obstacle as obstacle:
        print(obstacle, file=sys.stderr)
        return REFUSED
    except OSError:
        print(f"无法写入 {chosen.out}，请检查权限和磁盘空间，并关闭正打开它的程序", file=sys.stderr)
        return REFUSED
    for path in written:
        print(f"已写入 {path}")
    return OK


def _parser() -> Parser:
    parser = Parser(prog="python -m catalog", description="强检器具目录与导入模板")
    commands = parser.add_subparsers(required=True, metavar="命令", parser_class=Parser)
    what = f"写出《{TITLE}》"
    template = commands.add_parser("template", help=what, description=what)
    template.add_argument("out", type=Path, metavar="OUT.xlsx", help="要写出的文件，已有的同名文件会被替换")
    template.set_defaults(write=_write_template)
    what = f"写出《{KIND_SHEET}》和《{DIVISION_SHEET}》"
    lists = commands.add_parser("lists", help=what, description=what)
    lists.add_argument(
        "out", type=Path, metavar="OUT_FOLDER", help="放两个文件的文件夹，已有的同名文件会被替换"
    )
    lists.set_defaults(write=_write_lists)
    return parser


def _write_template(path: Path) -> list[Path]:
    if path.suffix.lower() != ".xlsx":
        raise Obstacle(f"文件名应以 .xlsx 结尾，请改名后重试：{path}")
    if not path.parent.is_dir():
        raise Obstacle(f"文件夹不存在，请先建立：{path.parent}")
    if path.is_dir():
        raise Obstacle(f"这是一个文件夹，请另给文件名：{path}")
    write_template(path)
    return [path]


def _write_lists(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Obstacle(f"文件夹不存在，请先建立：{folder}")
    books = {KIND_SHEET: kind_book, DIVISION_SHEET: division_book}
    paths = [folder / f"{name}.xlsx" for name in books]
    for path, book in zip(paths, books.values(), strict=True):
        path.write_bytes(content(book(shipped())))
    return paths


if __name__ == "__main__":
    sys.exit(main())
