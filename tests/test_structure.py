"""The house rules that a reader could break without noticing."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from db import workflow
from db.models import Subject

ROOT = Path(__file__).parent.parent
FILES = [
    ROOT / "app.py",
    *(path for name in ("pages", "db", "catalog") for path in (ROOT / name).rglob("*.py")),
]
FILES = [path for path in FILES if "versions" not in path.parts]
# Who may not import what.
FORBIDDEN = {
    "catalog": ("db", "pages", "streamlit", "sqlmodel", "sqlalchemy"),
    "db": ("pages", "streamlit"),
    "pages": ("sqlmodel", "sqlalchemy"),
}
NAMELESS = {"utils", "helpers", "common", "services", "base"}


def named(path):
    return str(path.relative_to(ROOT))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_go_one_way(path):
    forbidden = FORBIDDEN.get(path.relative_to(ROOT).parts[0], ())
    tops = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
    assert not tops & set(forbidden)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_module_is_a_drawer_for_odds_and_ends(path):
    assert not NAMELESS & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "workflow.py"], ids=named)
def test_statuses_are_assigned_by_the_workflow_alone(path):
    for node in ast.walk(ast.parse(path.read_text())):
        targets = node.targets if isinstance(node, ast.Assign) else []
        assert not [t for t in targets if isinstance(t, ast.Attribute) and t.attr == "status"]
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "values":
            assert "status" not in {keyword.arg for keyword in node.keywords}


def test_every_status_is_reached_and_every_action_labelled():
    for subject, statuses in workflow.STATUSES.items():
        steps = [step for step in workflow.STEPS if step.subject == subject]
        reached = {step.target for step in steps}
        assert reached == set(statuses), subject
        assert all(step.label for step in steps)


def test_one_action_has_one_name():
    for subject, action in {(step.subject, step.action) for step in workflow.STEPS}:
        assert len({step.label for step in workflow.steps_of(subject, action)}) == 1


def test_the_workflow_page_is_the_table():
    lines = (ROOT / "docs" / "workflow.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and "`" in line]
    assert rows == [as_row(step) for step in workflow.STEPS]


def test_the_diagram_is_the_table():
    text = (ROOT / "docs" / "workflow.md").read_text()
    arrows = re.findall(r"^    (.+) --> (.+): (.+)$", text, re.MULTILINE)
    steps = [step for step in workflow.STEPS if step.subject == Subject.line]
    assert arrows == [
        (step.source.value if step.source else "[*]", step.target.value, step.label) for step in steps
    ]


def as_row(step):
    who = "、".join(role.value for role in step.roles) or "系统或申请人"
    reason = "是" if step.obstacle is workflow.reason_missing else ""
    source = step.source.value if step.source else "–"
    return f"| {step.subject} | {source} | {step.target} | {step.label} `{step.action}` | {who} | {reason} |"


def test_every_word_of_the_glossary_is_in_use():
    code = "\n".join(path.read_text() for path in FILES)
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = [word for cell in rows for word in re.findall(r"`([^`]+)`", cell)]
    assert len(words) > 40
    assert not [word for word in words if not re.search(rf"\b{word}\b", code)]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.relative_to(ROOT).parts[0] in ("db", "catalog")], ids=named
)
def test_public_functions_say_what_they_take_and_do(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and path.name != "env.py":
            assert ast.get_docstring(node), node.name
            assert node.returns is not None, node.name
            assert all(argument.annotation for argument in (*node.args.args, *node.args.kwonlyargs)), (
                node.name
            )


def test_every_page_of_the_navigation_is_a_file_that_says_its_name():
    pages = import_module("pages.parts.navigation").PAGES
    for entry in pages:
        tree = ast.parse((ROOT / "pages" / entry.file).read_text())
        assert ast.get_docstring(tree), entry.file
