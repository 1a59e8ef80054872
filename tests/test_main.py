"""The command line: exit codes, and one sentence where something is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db import __main__ as command_line
from db import checks
from db.errors import Refused

ROOT = Path(__file__).parent.parent


def run(*arguments, **environment):
    """Run `python -m db` as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "db", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def sentence(capsys):
    """The one line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_whole_way_works_from_a_shell(tmp_path):
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/yuejian.db", "SECRET": "Guolu-2026"}
    for arguments in (
        ["upgrade"],
        ["create-admin", "root2", "--password-env", "SECRET"],
        ["check"],
    ):
        done = run(*arguments, **environment)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        # All of it is in the one file, which may be copied.
        assert [path.name for path in tmp_path.iterdir()] == ["yuejian.db"]


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["create-admin", "--help"]])
def test_help_is_given_everywhere(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        command_line.main(arguments)
    assert left.value.code == 0
    assert "python -m db" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["erase"], ["demo", "--enterprises", "many"], ["create-admin"], ["check", "--now"]]
)
def test_a_command_that_is_wrong_points_to_the_help(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        command_line.main(arguments)
    assert left.value.code == 2
    assert sentence(capsys) == "命令不完整或写错，请用 python -m db --help 查看用法"


@pytest.mark.parametrize("command", ["upgrade", "demo", "check"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////proc/nowhere/yuejian.db", "/proc/nowhere"),
        (f"sqlite:///{__file__}", "file is not a database"),
        (f"sqlite:///{__file__}/yuejian.db", "test_main.py"),
        (f"sqlite:///{ROOT}/tests", "unable to open database file"),
        ("postgresql+psycopg://bureau:geheim@127.0.0.1:1/yuejian", "127.0.0.1:1/yuejian"),
        ("postgresql+psycopg://bureau:geheim@x:y:z/yuejian", "DATABASE_URL"),
        ("mysql://root@localhost/yuejian", "请写成 sqlite:///文件"),
    ],
)
def test_a_database_out_of_reach_is_one_sentence(capsys, bind, command, url, reason):
    bind(url)
    assert command_line.main([command]) == 2
    said = sentence(capsys)
    assert reason in said and "DATABASE_URL" in said
    assert "geheim" not in said


def test_a_refusal_ends_in_two_and_a_defect_in_a_traceback(sqlite, capsys, monkeypatch):
    def refuse(session, noted):
        raise Refused("不行，请稍后重试")

    monkeypatch.setattr(checks, "findings", refuse)
    assert command_line.main(["check"]) == 2
    assert sentence(capsys) == "不行，请稍后重试"
    monkeypatch.setattr(checks, "findings", lambda session, noted: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command_line.main(["check"])
