"""What the commands do, by the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from sqlmodel import select

from catalog.reading import process
from db import __main__ as command_line
from db import commands, demo, passwords, schema
from db.engine import reading, transaction
from db.models import Account, Batch, BatchStatus, Dataset, Enterprise, Instrument, Role
from tests import make
from tests.matrix import CSV
from tests.test_imports import book
from tests.test_main import run, sentence

ROOT = Path(__file__).parent.parent


@pytest.fixture
def unused(tmp_path, bind):
    """Bind the process to a database that does not exist yet."""
    return bind(f"sqlite:///{tmp_path}/new/yuejian.db")


def test_an_upgrade_says_where_the_database_stands(unused, capsys):
    assert command_line.main(["upgrade"]) == 0
    assert capsys.readouterr().out == f"数据库已是最新版本 {schema.head()}\n"
    assert command_line.main(["upgrade"]) == 0


def test_the_demo_fills_an_empty_database_once(sqlite, capsys):
    assert command_line.main(["demo", "--enterprises", "3", "--instruments", "40"]) == 0
    assert "器具 40" in capsys.readouterr().out
    assert command_line.main(["demo"]) == 0
    assert capsys.readouterr().out == "数据库里已有数据，演示数据没有写入\n"


@pytest.mark.parametrize("size", [["--enterprises", "0"], ["--instruments", "-5"]])
def test_a_demo_of_nothing_is_refused(sqlite, capsys, size):
    assert command_line.main(["demo", *size]) == 2
    assert "请填正整数" in sentence(capsys)
    with reading() as session:
        assert demo.is_empty(session)


def test_an_administrator_is_added(database, capsys, monkeypatch):
    monkeypatch.setenv("SECRET", "Guolu-2026")
    arguments = ["create-admin", "Root2", "--name", "许衡", "--password-env", "SECRET"]
    assert command_line.main(arguments) == 0
    assert capsys.readouterr().out == "已新增管理员 root2\n"
    with reading() as session:
        account = session.exec(select(Account)).one()
    assert (account.role, account.full_name) == (Role.administrator, "许衡")
    assert passwords.matches("Guolu-2026", account.password_hash)


def test_a_password_may_come_through_a_pipe(sqlite):
    done = subprocess.run(
        [sys.executable, "-m", "db", "create-admin", "root2"],
        cwd=ROOT,
        input="Guolu-2026\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["root2", "--password-env", "NOTHING"], "密码"),
        (["root2", "--password-env", "WEAK"], "密码"),
        (["r", "--password-env", "SECRET"], "账号名"),
        (["enterprise9", "--password-env", "SECRET"], "已被使用"),
    ],
)
def test_an_administrator_who_breaks_a_rule_is_refused(sqlite, capsys, monkeypatch, arguments, message):
    monkeypatch.setenv("SECRET", "Guolu-2026")
    monkeypatch.setenv("WEAK", "12345678")
    with transaction() as session:
        make.make_account(session, username="enterprise9")
    assert command_line.main(["create-admin", *arguments]) == 2
    assert message in sentence(capsys)


def test_no_password_at_all_is_refused(sqlite):
    done = run("create-admin", "root2")
    assert done.returncode == 2
    assert done.stderr == "没有输入密码，请在终端中输入，或用 --password-env 指定存放密码的环境变量\n"


@pytest.fixture
def works(database):
    """The committed account of a boiler works, username `works`, with two gauges in its ledger."""
    with transaction() as session:
        owner = make.make_account(session, username="works")
        make.make_instrument(session, owner, name="压力表")
        make.make_instrument(session, owner, name="电能表")
        return owner


def exported(capsys, *arguments):
    """The figures of an export that went well."""
    assert command_line.main(["export-ledger", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_ledger_is_exported_by_the_operator(works, tmp_path, capsys):
    with transaction() as session:
        other = make.make_account(session)
        make.make_instrument(session, other)
        code = session.get_one(Enterprise, other.enterprise_id).credit_code
    assert exported(capsys, tmp_path / "a.xlsx")["rows"] == 3
    figures = exported(capsys, tmp_path / "a.csv", "--enterprise", code)
    assert list(figures) == ["rows", "seconds"] and figures["rows"] == 1
    assert code in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert sorted(path.name for path in tmp_path.glob("a.*")) == ["a.csv", "a.xlsx"]


def test_an_account_exports_its_own_and_what_the_filters_hold(works, tmp_path, capsys):
    stranger = ["--by", make_stranger()]
    assert exported(capsys, tmp_path / "a.csv", "--by", "works")["rows"] == 2
    assert exported(capsys, tmp_path / "a.csv", "--by", "works", "--filters", '{"text": "电能"}')["rows"] == 1
    assert exported(capsys, tmp_path / "a.csv", *stranger)["rows"] == 0


def make_stranger() -> str:
    """The username of somebody else's account."""
    with transaction() as session:
        return make.make_account(session).username


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.pdf"], "请改正文件名"),
        (["a.xlsx", "--by", "nobody"], "没有账号 nobody"),
        (["a.xlsx", "--enterprise", "123"], "没有统一社会信用代码为 123"),
        (["a.xlsx", "--filters", "status=in_use"], "JSON"),
        (["a.xlsx", "--filters", "[1]"], "JSON"),
        (["a.xlsx", "--filters", '{"status": "forged"}'], "筛选条件有误"),
        (["none/a.xlsx"], "无法写入"),
    ],
)
def test_an_export_that_cannot_be_is_refused_and_leaves_no_file(
    works, tmp_path, capsys, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert command_line.main(["export-ledger", *arguments]) == 2
    assert message in sentence(capsys)
    assert set(tmp_path.iterdir()) == before


def test_a_whole_database_has_no_findings(database, capsys):
    with transaction() as session:
        make.make_line(session)
    assert command_line.main(["check"]) == 0
    assert capsys.readouterr().out == "检查完毕，没有发现问题\n"


def test_a_database_that_was_tampered_with_has_findings(database, capsys):
    with transaction() as session:
        line = make.make_line(session)
        session.execute(sa.text("UPDATE appointment_lines SET status = 'completed'"))
    assert command_line.main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"预约器具 {line.id} 的状态为 completed，流程记录却是 assigned" in lines
    assert lines[-1] == "检查完毕，发现 2 处问题"


@pytest.mark.parametrize(
    "command", [["check"], ["demo"], ["create-admin", "root2", "--password-env", "SECRET"]]
)
def test_a_database_that_was_not_upgraded_says_what_to_do(unused, capsys, monkeypatch, command):
    monkeypatch.setenv("SECRET", "Guolu-2026")
    assert command_line.main(command) == 2
    assert "先运行 python -m db upgrade" in sentence(capsys)


def test_a_newer_database_is_refused(sqlite, capsys):
    with transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert command_line.main(["upgrade"]) == 2
    assert "比本程序新" in sentence(capsys)
    assert command_line.main(["check"]) == 2


@pytest.fixture
def ledger_owner(sqlite, tmp_path, monkeypatch):
    """The boiler works, committed; its credit code."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))
    with transaction() as session:
        owner = make.make_account(session)
        return session.get_one(Enterprise, owner.enterprise_id).credit_code


def workbook(tmp_path, *rows):
    """A file of gauges."""
    path = tmp_path / "台账.xlsx"
    path.write_bytes(book(*rows))
    return str(path)


def answer(capsys):
    """The last line of the output, without the seconds."""
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said.pop("seconds") >= 0
    return {name: count for name, count in said.items() if count}


def instrument_count():
    """How many instruments there are."""
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Instrument))


def test_a_ledger_is_imported_and_its_last_line_is_json(ledger_owner, tmp_path, capsys):
    path = workbook(tmp_path, {}, {"出厂编号": "HY38"})
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner]) == 0
    assert answer(capsys) == {"rows": 2, "added": 2}
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner]) == 0
    assert answer(capsys) == {"rows": 2, "unchanged": 2}
    assert instrument_count() == 2


def test_every_command_is_one():
    (listed,) = command_line.parser()._subparsers._group_actions
    assert all(callable(getattr(commands, one.get_default("run"))) for one in listed.choices.values())


def test_both_reference_tables_may_be_loaded():
    assert tuple(Dataset.__members__) == command_line.DATASETS


def test_the_file_is_read_by_the_process_that_began_while_the_rest_was_loaded(
    ledger_owner, tmp_path, monkeypatch
):
    started, real = [], process._started
    monkeypatch.setattr(process, "_started", lambda *given: started.append(real(*given)) or started[-1])
    path = workbook(tmp_path, {})
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner]) == 0
    assert command_line.main(["import-ledger", path, "--enterprise", "9133"]) == 2
    assert [one.poll() is not None for one in started] == [True, True]


def test_the_object_names_every_outcome(ledger_owner, tmp_path, capsys):
    command_line.main(["import-ledger", workbook(tmp_path, {}), "--enterprise", ledger_owner])
    named = list(json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert named == ["rows", "added", "updated", "unchanged", "invalid", "duplicates", "seconds"]


def test_what_was_left_out_or_guessed_is_printed(ledger_owner, tmp_path, capsys):
    path = tmp_path / "台账.csv"
    heading, row = CSV.splitlines()
    path.write_text(f"{heading.replace('出厂编号', '序列号')},楼层\n{row},三层\n")
    assert command_line.main(["import-ledger", str(path), "--enterprise", ledger_owner]) == 0
    left_out, guessed, *_ = capsys.readouterr().out.splitlines()
    assert left_out == "没有导入的列：楼层"
    assert guessed.startswith("按其他名称认出的列：序列号 → 出厂编号")


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(ledger_owner, tmp_path, capsys):
    path = workbook(tmp_path, {})
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner, "--dry-run"]) == 0
    assert answer(capsys) == {"rows": 1, "added": 1}
    assert instrument_count() == 0
    with reading() as session:
        assert session.exec(select(Batch)).one().status == BatchStatus.discarded


def test_one_bad_row_refuses_a_file_and_partial_takes_the_rest(ledger_owner, tmp_path, capsys):
    path = workbook(tmp_path, {}, {"出厂编号": None})
    errors = tmp_path / "错误.xlsx"
    arguments = ["import-ledger", path, "--enterprise", ledger_owner, "--errors", str(errors)]
    assert command_line.main(arguments) == 1
    assert answer(capsys) == {"rows": 2, "invalid": 1}
    assert (instrument_count(), errors.stat().st_size > 0) == (0, True)
    assert command_line.main([*arguments, "--partial"]) == 1
    assert answer(capsys) == {"rows": 2, "added": 1, "invalid": 1}
    assert instrument_count() == 1


@pytest.mark.parametrize("name", ["台账.xlsx", "台账.csv"])
def test_files_are_named_from_the_folder_one_stands_in(ledger_owner, tmp_path, monkeypatch, name):
    (tmp_path / "台账.csv").write_text(CSV.replace("HY900", ""))
    workbook(tmp_path, {"出厂编号": None})
    monkeypatch.chdir(tmp_path)
    arguments = ["import-ledger", name, "--enterprise", ledger_owner, "--errors", "错误.xlsx"]
    assert command_line.main(arguments) == 1
    assert "检查结果" in load_workbook("错误.xlsx").sheetnames


@pytest.mark.parametrize("name", ["台账.xlsx", "错误.csv", "夹.xlsx", "没有/错误.xlsx"])
def test_where_the_errors_cannot_go_nothing_is_imported_and_no_file_lost(
    ledger_owner, tmp_path, capsys, name
):
    path = workbook(tmp_path, {}, {"出厂编号": None})
    (tmp_path / "夹.xlsx").mkdir()
    before = Path(path).read_bytes()
    arguments = ["import-ledger", path, "--enterprise", ledger_owner, "--partial"]
    assert command_line.main([*arguments, "--errors", str(tmp_path / name)]) == 2
    assert "--errors" in sentence(capsys)
    assert (instrument_count(), Path(path).read_bytes()) == (0, before)


def test_a_marked_workbook_that_cannot_be_made_hides_no_outcome(ledger_owner, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("catalog.marking.process.MEMORY", 1)
    path, errors = workbook(tmp_path, {}, {"出厂编号": None}), tmp_path / "错误.xlsx"
    errors.write_bytes(b"older")
    arguments = ["import-ledger", path, "--enterprise", ledger_owner, "--partial", "--errors", str(errors)]
    assert command_line.main(arguments) == 1
    said = capsys.readouterr().out.splitlines()
    assert "标注后的文件未能生成" in said[0] and json.loads(said[-1])["added"] == 1
    assert errors.read_bytes() == b"older"


def test_a_file_without_rows_is_no_silent_success(ledger_owner, tmp_path, capsys):
    path = workbook(tmp_path)
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner]) == 2
    assert "文件中没有填写器具" in sentence(capsys)


def test_an_import_may_be_made_in_somebodys_name(ledger_owner, tmp_path, capsys):
    with transaction() as session:
        clerk = make.make_account(session, Role.supervisor).username
    path = workbook(tmp_path, {})
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner, "--by", clerk]) == 0
    with reading() as session:
        batch = session.exec(select(Batch)).one()
        assert session.get_one(Account, batch.created_by_id).username == clerk


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.xlsx", "--enterprise", "9133"], "没有这个文件"),
        (["长" * 300, "--enterprise", "9133"], "没有这个文件"),
        ([__file__, "--enterprise", "9133"], "没有统一社会信用代码为 9133 的使用单位"),
        ([__file__, "--enterprise", "OWN", "--by", "nobody"], "没有账号 nobody"),
        ([__file__, "--enterprise", "OWN"], "文件缺少必填列"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_one_sentence(ledger_owner, capsys, arguments, words):
    chosen = [ledger_owner if one == "OWN" else one for one in arguments]
    assert command_line.main(["import-ledger", *chosen]) == 2
    assert words in sentence(capsys)


def test_a_file_one_may_not_read_is_told(ledger_owner, tmp_path, capsys, monkeypatch):
    path = workbook(tmp_path, {})
    # The tests may run as one who may read everything.
    monkeypatch.setattr(commands.os, "access", lambda *given: False)
    assert command_line.main(["import-ledger", path, "--enterprise", ledger_owner]) == 2
    assert "没有权限读取这个文件" in sentence(capsys)
