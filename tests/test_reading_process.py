"""The process a file is read in: what binds it, what it may know, and what its end says."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.reading import Unreadable, begin, child, limits, process, read
from tests.workbooks import book, packed, row, text_file, with_cells, written

START = subprocess.Popen
ROOT = Path(__file__).parent.parent
STRAY = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


@pytest.fixture
def ledger(tmp_path) -> Path:
    path = tmp_path / "ledger.xlsx"
    path.write_bytes(packed(book(row(), row(出厂编号="2"))))
    return path


def bound(code: str) -> subprocess.CompletedProcess[str]:
    """A process that imposes the limits on itself and then runs `code`."""
    code = "from catalog.reading import limits; limits.impose(1)\n" + code
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=process.ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_system_without_wider_pipes_reads_too(ledger, monkeypatch):
    monkeypatch.setattr(process, "fcntl", None)
    assert len(list(read(ledger, "台账.xlsx").rows)) == 2


def test_the_limits_are_those_of_the_house():
    assert (limits.MEMORY, limits.SECONDS, limits.SILENCE) == (512 * 2**20, 10, 30)


def test_the_limits_are_the_kernels():
    told = bound(
        "import resource as r\n"
        "print([r.getrlimit(each) for each in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_CORE)])"
    )
    assert told.stdout.strip() == str([(limits.MEMORY, limits.MEMORY), (1, 2), (0, 0)])


def test_memory_beyond_the_limit_is_not_given():
    assert "MemoryError" in bound("bytes(600 * 2**20)").stderr


def test_time_beyond_the_limit_ends_the_process():
    assert bound("while True: pass").returncode == -signal.SIGXCPU


def test_the_limits_stand_before_a_reader_is_loaded():
    code = (
        "import sys\n"
        "from catalog.reading import child\n"
        "print(sorted({'python_calamine', 'openpyxl', 'pandas', 'numpy', 'streamlit'} & set(sys.modules)))"
    )
    assert bound(code).stdout.strip() == "[]"


def test_the_process_knows_no_secrets(monkeypatch, ledger):
    seen = {}

    def watched(*arguments, **options):
        seen.update(options["env"])
        return START(*arguments, **options)

    monkeypatch.setattr(process.subprocess, "Popen", watched)
    read(ledger, "a.xlsx")
    assert set(seen) <= {"LANG", "PYTHONUTF8", "MALLOC_ARENA_MAX", "PATH", "LD_LIBRARY_PATH"}


def test_an_end_by_the_kernel_is_a_sentence(monkeypatch, ledger):
    for ending, told in [
        (signal.SIGXCPU, limits.TOO_SLOW),
        (signal.SIGABRT, limits.TOO_BIG),
        (signal.SIGKILL, limits.TOO_BIG),
        (signal.SIGSEGV, limits.DIED),
    ]:
        run_instead(monkeypatch, f"import os; os.kill(os.getpid(), {int(ending)})")
        with pytest.raises(Unreadable, match=told):
            read(ledger, "a.xlsx")


def run_instead(monkeypatch, code: str) -> None:
    """Let another program answer in the place of the reading process."""
    monkeypatch.setattr(
        process.subprocess, "Popen", lambda command, **options: START([sys.executable, "-c", code], **options)
    )


def test_an_end_between_two_rows_is_a_sentence_too(monkeypatch, ledger):
    head = {
        "sheet": "",
        "header_row": 1,
        "headings": ["a"],
        "fields": [None],
        "edition": "",
        "notes": [],
        "kinds": [""],
    }
    rows = {"numbers": [2], "columns": [["x"]], "faulty": []}
    run_instead(
        monkeypatch,
        f"import os\nprint('''{json.dumps(head)}\n{json.dumps(rows)}''', flush=True); os.abort()",
    )
    read_rows = read(ledger, "a.xlsx").rows
    assert next(read_rows) == (2, ["x"])
    with pytest.raises(Unreadable, match=limits.TOO_BIG):
        next(read_rows)


def test_silence_is_ended(monkeypatch, ledger):
    monkeypatch.setattr(process, "SILENCE", 0.2)
    run_instead(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(Unreadable, match=limits.TOO_SLOW):
        read(ledger, "a.xlsx")


def test_a_process_that_hangs_up_and_stays_is_ended(monkeypatch, ledger):
    monkeypatch.setattr(process, "SILENCE", 0.2)
    run_instead(monkeypatch, "import os, time; os.close(1); time.sleep(60)")
    with pytest.raises(Unreadable, match=limits.TOO_SLOW):
        read(ledger, "a.xlsx")


def test_a_flood_is_ended(monkeypatch, ledger):
    monkeypatch.setattr(process, "TEXT", 2**20)
    run_instead(monkeypatch, "while True: print('x' * 100_000, end='')")
    with pytest.raises(Unreadable, match=limits.TOO_BIG):
        read(ledger, "a.xlsx")


def test_what_is_no_answer_is_a_sentence(monkeypatch, ledger):
    run_instead(monkeypatch, "print('Killed')")
    with pytest.raises(Unreadable, match=limits.DIED):
        read(ledger, "a.xlsx")


def test_a_short_text_that_repeats_without_end_is_refused(monkeypatch, ledger, capfdbinary):
    monkeypatch.setattr(limits, "TEXT", 500)
    monkeypatch.setattr(
        sys, "argv", ["child", "10", json.dumps({"path": str(ledger), "name": "a.xlsx", "chosen": None})]
    )
    monkeypatch.setattr(limits, "impose", lambda seconds: None)
    child.main()
    assert json.loads(capfdbinary.readouterr().out.splitlines()[-1]) == {"refused": limits.TOO_BIG}


def test_a_second_try_has_only_the_time_that_is_left(monkeypatch, tmp_path):
    asked = []
    real = process._answer
    monkeypatch.setattr(
        process,
        "_answer",
        lambda request, seconds=10, **more: (
            asked.append((request, seconds)) or real(request, seconds, **more)
        ),
    )
    path = tmp_path / "stray.xlsx"
    path.write_bytes(with_cells(STRAY))
    assert [number for number, _ in read(path, "a.xlsx").rows] == [2]
    (first, whole), (second, rest) = asked
    assert whole == limits.SECONDS and 1 <= rest < whole
    assert "careful" not in first and second["careful"]


def test_a_path_is_meant_from_where_one_stands(ledger, monkeypatch):
    monkeypatch.chdir(ledger.parent)
    assert len(list(read(Path(ledger.name), ledger.name).rows)) == 2


@pytest.fixture
def started(monkeypatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started."""
    started = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda *given, **more: started.append(START(*given, **more)) or started[-1]
    )
    return started


def test_a_process_that_has_begun_is_the_one_that_is_read(ledger, started):
    with begin(ledger) as begun:
        contents = read(ledger, ledger.name, begun=begun)
        assert [number for number, _ in contents.rows] == [2, 3]
    assert started == [begun.process]


def test_one_that_nobody_reads_is_ended_with_the_block(ledger, started):
    with pytest.raises(KeyError), begin(ledger):
        raise KeyError
    assert [child.returncode for child in started] == [-signal.SIGKILL]


def test_one_that_has_begun_and_dies_gets_its_second_try(tmp_path, started):
    path = tmp_path / "stray.xlsx"
    path.write_bytes(with_cells(STRAY))
    with begin(path) as begun:
        assert [number for number, _ in read(path, path.name, begun=begun).rows] == [2]
    assert len(started) == 2


def test_a_file_put_in_the_place_of_the_one_that_was_begun_is_read_instead(ledger, started):
    other = ledger.with_name("other.xlsx")
    other.write_bytes(packed(book(row())))
    with begin(ledger) as begun:
        other.replace(ledger)
        assert len(list(read(ledger, ledger.name, begun=begun).rows)) == 1
    assert len(started) == 2


@pytest.mark.parametrize("path", [None, Path("absent.xlsx"), Path("长" * 300), ROOT])
def test_nothing_begins_without_a_file(path, started):
    with begin(path) as begun:
        assert begun is None
    assert not started


def test_nothing_begins_with_what_will_be_refused(ledger, started, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(process, "FILE_SIZE", 100)
        with begin(ledger) as one:
            assert one is None
    with monkeypatch.context() as patched:
        patched.setattr(limits, "CAN_LIMIT", False)
        with begin(ledger) as other:
            assert other is None
    assert not started


def test_a_process_that_cannot_be_started_is_left_to_the_reading(ledger, monkeypatch):
    def refused(*given, **more):
        raise BlockingIOError

    monkeypatch.setattr(subprocess, "Popen", refused)
    with begin(ledger) as begun:
        assert begun is None


def test_rows_nobody_wants_end_the_process(ledger, started):
    contents = read(ledger, "a.xlsx")
    next(contents.rows)
    del contents
    assert [child.returncode is None for child in started] == [False]


def test_rows_come_while_the_file_is_still_being_read(tmp_path):
    path = tmp_path / "many.csv"
    path.write_bytes(text_file(*[written(备注=str(n)) for n in range(5000)]))
    heard = []
    contents = read(path, "a.csv", progress=heard.append)
    next(contents.rows)
    assert heard == [1000]
    assert sum(1 for _ in contents.rows) == 4999
    assert heard == [1000, 2000, 3000, 4000, 5000]


def test_a_file_that_is_too_large_is_refused_before_anything_starts(monkeypatch, ledger):
    monkeypatch.setattr(process, "FILE_SIZE", 100)
    run_instead(monkeypatch, "raise SystemExit")
    with pytest.raises(Unreadable, match="请拆分"):
        read(ledger, "a.xlsx")


def test_a_defect_of_ours_is_logged_and_told_as_a_sentence(monkeypatch, ledger, caplog):
    run_instead(monkeypatch, f"print('{json.dumps({'refused': 'x', 'trace': 'KeyError'})}')")
    with pytest.raises(Unreadable, match="x"):
        read(ledger, "a.xlsx")
    assert "KeyError" in caplog.text


def test_the_cost_of_a_file_is_logged(caplog, tmp_path):
    caplog.set_level("INFO", "catalog.reading.process")
    path = tmp_path / "large.xlsx"
    path.write_bytes(packed(book(*[row(出厂编号=f"{n:06}") for n in range(3000)])))
    assert sum(1 for _ in read(path, "a.xlsx").rows) == 3000
    seconds, memory = re.search(r"([\d.]+) s of processor, (\d+) MB", caplog.text).groups()
    print(f"3,000 rows: {seconds} s, {memory} MB")
    assert float(seconds) <= limits.SECONDS and 0 < int(memory) << 20 <= limits.MEMORY


def test_where_no_limits_can_be_set_no_file_is_opened(ledger, monkeypatch):
    monkeypatch.setattr(limits, "CAN_LIMIT", False)
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **more: pytest.fail("a process was started"))
    with pytest.raises(Unreadable, match="Linux"):
        read(ledger, "ledger.xlsx")


def test_everything_else_starts_where_no_limits_can_be_set():
    everything = "app, db.__main__, db.commands, pages.parts.import_start"
    code = f"import sys; sys.modules['resource'] = None; import {everything}"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
