"""A bureau in a real server, and people at real browsers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from db.engine import transaction
from db.models import Role
from tests import browser, make
from tests.e2e.person import Person

PICTURES = Path(__file__).parent / "output"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let the fixtures know how the test ended."""
    report = yield
    setattr(item, f"has_failed_{report.when}", report.failed)
    return report


def pytest_collection_modifyitems(items):
    """Every journey needs a browser and a server: none of them is fast."""
    for item in items:
        if "/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all journeys of this worker."""
    with browser.launch() as launched:
        yield launched


@pytest.fixture
def bureau(sqlite) -> dict[str, str]:
    """User names of a small bureau in 杭州: an institution in 西湖区 for pressure gauges, and its staff."""
    with transaction() as session:
        station = make.make_institution(session, "杭州市西湖区计量检定所")
        make.make_authorization(session, station)
        enterprise = make.make_enterprise(session, "杭州明达锅炉厂")
        return {
            "institution": make.make_account(session, Role.institution, institution_id=station.id).username,
            "reviewer": make.make_account(session, Role.reviewer).username,
            "supervisor": make.make_account(session, Role.supervisor).username,
            "enterprise": make.make_account(session, enterprise_id=enterprise.id).username,
        }


@pytest.fixture
def address(bureau, sqlite) -> Iterator[str]:
    """The address of a server over the small bureau."""
    with browser.serve(sqlite) as url:
        yield url


@pytest.fixture
def anew(chromium, bureau, sqlite):
    """A server that ends with the `with`, and somebody at it who has signed in."""

    @contextmanager
    def begin(username: str) -> Iterator[Person]:
        with browser.serve(sqlite) as url, browser.visitor(chromium) as page:
            person = Person(page, url)
            person.sign_in(username)
            yield person

    return begin


@pytest.fixture
def visit(chromium, address, request):
    """Opens a browser of its own for one more person: `visit()` is a visitor, `visit(name)` has signed in.

    After a failure, tests/e2e/output has a picture of each screen.
    """
    people: list[Person] = []
    with ExitStack() as stack:

        def open_browser(username: str = "") -> Person:
            person = Person(stack.enter_context(browser.visitor(chromium)), address)
            people.append(person)
            if username:
                person.sign_in(username)
            return person

        yield open_browser
        if getattr(request.node, "has_failed_call", False):
            for number, person in enumerate(people):
                person.page.screenshot(path=PICTURES / f"{request.node.name}-{number}.png", full_page=True)
