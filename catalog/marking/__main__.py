"""The process that marks a workbook: bound to the limits in its arguments, it does what stdin asks for."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from catalog.marking.conversion import convert
from catalog.marking.package import NotWorkbook
from catalog.marking.problems import MarkingFailed, Problem, Summary
from catalog.marking.process import OTHER, REFUSED
from catalog.marking.returned import mark_workbook, write_bad_rows
from catalog.reading import limits


def main() -> int:
    """Do it: 0 when done, 3 with a sentence on stdout when refused, 4 where this is no .xlsx."""
    memory, seconds = map(int, sys.argv[1:])
    limits.impose(seconds, memory)
    request = json.load(sys.stdin, object_hook=_day)
    try:
        _answer(request)
    except MarkingFailed as refusal:
        print(refusal, end="")
        return REFUSED
    except NotWorkbook:
        return OTHER
    return 0


def _answer(request: dict[str, Any]) -> None:
    out, name = Path(request["out"]), request["name"]
    if request["act"] == "convert":
        numbers = convert(Path(request["source"]), name, out)
        print(json.dumps(list(numbers.items())))
        return
    problems = [Problem(*each) for each in request["problems"]]
    summary = Summary(**request["summary"])
    if request["act"] == "bad_rows":
        write_bad_rows(Path(request["template"]), out, name, request["rows"], problems, summary)
    else:
        moved = dict(request["numbers"]) if "numbers" in request else None
        mark_workbook(Path(request["source"]), name, out, request["sheet"], problems, summary, moved)


def _day(found: dict[str, Any]) -> Any:
    return date.fromisoformat(found["day"]) if found.keys() == {"day"} else found


if __name__ == "__main__":
    sys.exit(main())
