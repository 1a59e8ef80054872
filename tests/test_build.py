"""What the Makefile, the requirements and CI promise."""

import os
import re
import subprocess
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.M)[0].split()


def requirements(path: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines())
    return [Requirement(line) for line in lines if line]


RUN = requirements("requirements.txt")
ALL = [*RUN, *requirements("tests/requirements.txt")]
HERE = [one for one in ALL if one.marker is None or one.marker.evaluate()]


def make(*arguments: str) -> str:
    # The make that runs these tests has left its own options in the environment.
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PORT"))
    }
    done = subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def recipe(*arguments: str) -> str:
    return make("--dry-run", *arguments)


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_every_requirement_is_pinned_to_one_version(requirement):
    assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(requirement.specifier))


def test_no_package_is_pinned_twice():
    names = [canonicalize_name(requirement.name) for requirement in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("requirement", HERE, ids=lambda requirement: requirement.name)
def test_the_installed_version_is_the_pinned_one(requirement):
    assert requirement.specifier.contains(version(requirement.name))


@pytest.mark.parametrize("group", [RUN, ALL], ids=["run", "tests"])
def test_whatever_a_package_needs_is_pinned_beside_it(group):
    pinned = {canonicalize_name(requirement.name) for requirement in group}
    here = [requirement for requirement in group if requirement in HERE]
    assert {needed for requirement in here for needed in needs(requirement)} <= pinned


def needs(requirement: Requirement) -> set[str]:
    wanted = [Requirement(line) for line in requires(requirement.name) or []]
    extras = requirement.extras or {""}
    return {
        canonicalize_name(one.name)
        for one in wanted
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
    }


def test_every_target_has_a_line_of_help():
    lines = dict(re.findall(r"^([a-z-]+):.*## (.+)$", MAKEFILE, re.M))
    assert list(lines) == TARGETS


def test_make_alone_prints_the_help():
    assert [line.split()[1] for line in make().splitlines() if line.startswith("make ")] == TARGETS


def test_the_demo_is_only_for_make_run():
    assert "db demo" in recipe("run")
    assert "db demo" not in recipe("serve")
    assert "\nrun: export YUEJIAN_DEMO = 1\n" in MAKEFILE
    assert MAKEFILE.count("YUEJIAN_DEMO") == 1


@pytest.mark.parametrize("target", ["run", "serve"])
def test_the_port_can_be_chosen(target):
    assert "--server.port 8080" in recipe(target, "PORT=8080")


@pytest.mark.parametrize("target", ["run", "serve"])
def test_the_database_is_upgraded_before_anyone_is_served(target):
    commands = recipe(target)
    assert commands.index("db upgrade") < commands.index("streamlit run app.py")


def test_make_test_installs_what_the_tests_need_and_leaves_none_out():
    commands = recipe("test").splitlines()
    assert commands[-2] == "tests/setup.sh"
    assert "-m pytest" in commands[-1]
    assert "slow" not in commands[-1]


def test_ci_runs_make_test():
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make test"


@pytest.mark.parametrize("script", [".ci/run", "tests/setup.sh"])
def test_the_scripts_can_be_run(script):
    assert (ROOT / script).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)
