"""The house rules that a reader could break without noticing."""

import ast
import re
from enum import StrEnum
from importlib import import_module
from pathlib import Path

import pytest

from db import instrument_fields, models, workflow
from db.models import Subject, enums

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


def assigns_status(node):
    """Whether a piece of code gives a record that exists another status."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(target, ast.Attribute) and target.attr == "status" for target in targets)
    if not isinstance(node, ast.Call):
        return False
    if getattr(node.func, "id", "") == "setattr":
        return any(
            isinstance(argument, ast.Constant) and argument.value == "status" for argument in node.args
        )
    is_update = getattr(node.func, "attr", "") in ("values", "sqlmodel_update", "update")
    return is_update and "status" in {keyword.arg for keyword in node.keywords}


@pytest.mark.parametrize(
    "code",
    [
        "line.status = L.accepted",
        "line.status: str = L.accepted",
        "setattr(line, 'status', L.accepted)",
        "update(model).values(status=L.accepted)",
        "row.sqlmodel_update(status=L.accepted)",
    ],
)
def test_a_status_assigned_past_the_workflow_would_be_seen(code):
    assert any(map(assigns_status, ast.walk(ast.parse(code))))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_statuses_are_assigned_by_the_workflow_alone(path):
    found = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if assigns_status(node)]
    assert len(found) == (1 if named(path) == "db/workflow.py" else 0), found


def called(node):
    """The names of what a piece of code calls."""
    calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return {ast.unparse(one) for one in calls}


@pytest.mark.parametrize("path", [path for path in FILES if "pages" in path.parts], ids=named)
def test_work_in_the_background_begins_for_who_may_act(path):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert all("acting" in called(node) for node in functions if "jobs.start" in called(node))


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


def glossary():
    """The rows of the first table: its Chinese words, its words of code, and what is said about them."""
    text = (ROOT / "docs" / "glossary.md").read_text()
    for row in re.findall(r"^\| ([^`|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE):
        yield row[0].split(", "), re.findall(r"`([^`]+)`", row[1]), row[2]


def shown():
    """The Chinese of every word the code itself translates: actions, fields of the ledger."""
    for step in workflow.STEPS:
        yield step.action, step.label
    yield from instrument_fields.LABELS.items()


def test_every_word_of_the_glossary_is_in_use_or_marked_later():
    code = "\n".join(path.read_text() for path in FILES)
    words = {word: note for _, words, note in glossary() for word in words}
    assert len(words) > 50
    unused = {word for word in words if not re.search(rf"\b{word}\b", code)}
    assert unused <= {word for word, note in words.items() if note.endswith("(later)")}


def test_the_glossary_calls_actions_and_fields_what_the_screen_calls_them():
    labels = {}
    for word, label in shown():
        labels.setdefault(word, set()).add(label)
    said = {}
    for terms, words, _ in glossary():
        for index, word in enumerate(words):
            said.setdefault(word, set()).update(terms if len(words) == 1 else {terms[index]})
    both = set(said) & set(labels)
    assert len(both) > 25
    assert {word: said[word] - labels[word] for word in both if said[word] - labels[word]} == {
        "submit": {"提交"}
    }


def test_the_closed_lists_of_the_glossary_are_the_enums():
    text = (ROOT / "docs" / "glossary.md").read_text()
    rows = re.findall(r"^\| `\w+` \| .+ \|$", text, re.MULTILINE)
    lists = [one for one in vars(enums).values() if isinstance(one, type) and issubclass(one, StrEnum)]
    lists = [one for one in lists if one is not StrEnum] + [models.Level, models.VerificationMode]
    assert rows == [
        f"| `{one.__name__}` | " + " · ".join(f"{member} `{member.name}`" for member in one) + " |"
        for one in lists
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "db").glob("*.py")), ids=named)
def test_every_noun_of_the_database_has_its_tests(path):
    name = path.stem.strip("_")
    assert name == "init" or (ROOT / "tests" / f"test_{name}.py").exists()


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
