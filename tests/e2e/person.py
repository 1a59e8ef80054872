"""What people do at the screen, by the words they read on it."""

import re

from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests import browser, make

# Rows and columns of a grid are drawn on a canvas: a click goes by their size.
HEADER_HEIGHT, ROW_HEIGHT, TICK_X = 35, 35, 18
# Milliseconds until a person gives up.
PATIENCE = 20_000


class Person:
    """Someone at a browser of their own."""

    def __init__(self, page: Page, address: str):
        self.page = page
        self.address = address
        page.set_default_timeout(PATIENCE)

    def goes_to(self, path: str) -> None:
        """Open an address of the product."""
        self.page.goto(self.address + path)
        browser.settled(self.page)

    def sign_in(self, username: str, password: str = make.PASSWORD) -> None:
        """登录 with the form."""
        self.goes_to("/")
        self.types("账号", username)
        self.types("密码", password)
        self.presses("登录")
        self.page.get_by_text("退出登录").wait_for()
        browser.settled(self.page)

    def opens(self, title: str) -> None:
        """Choose a page in the menu."""
        self.page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
        browser.settled(self.page)

    def types(self, label: str, text: str) -> None:
        """Type into the field of that label, and leave it."""
        field = self.field(label)
        field.fill(text)
        field.press("Tab")
        browser.settled(self.page)

    def field(self, label: str) -> Locator:
        """The input or text area whose label begins with these words."""
        labelled = self.page.get_by_label(re.compile(f"^{re.escape(label)}"))
        return labelled.and_(self.page.locator("input, textarea")).locator("visible=true").first

    def picks_day(self, label: str, day: str) -> None:
        """Type a day such as 2027-01-31 into the date field of that label, part by part."""
        parts = self.page.get_by_test_id("stDateInput").filter(has_text=label).get_by_role("spinbutton")
        for part, text in zip(parts.all(), day.split("-"), strict=True):
            part.click()
            part.press_sequentially(text)
        parts.last.press("Tab")
        browser.settled(self.page)

    def chooses(self, label: str, option: str) -> None:
        """Choose from the box of that label."""
        box = self.box(label)
        wanted = self.page.get_by_role("option", name=option, exact=True)
        # A rerun of the page closes an open list: a person would open it again.
        for _ in range(5):
            box.click()
            try:
                wanted.click(timeout=3000)
                expect(box).to_have_value(option, timeout=3000)
                break
            except (TimeoutError, AssertionError):
                self.page.keyboard.press("Escape")
        browser.settled(self.page)
        expect(box).to_have_value(option)

    def box(self, label: str) -> Locator:
        """The input of the box of that label."""
        return self.page.get_by_test_id("stSelectbox").filter(has_text=label).last.locator("input")

    def presses(self, label: str) -> None:
        """Press the button of that name."""
        self.button(label).click()
        self.page.wait_for_timeout(150)
        browser.settled(self.page)

    def button(self, label: str) -> Locator:
        """The button of that name, its icon aside."""
        return self.page.get_by_role("button", name=re.compile(f"(^|\\s){re.escape(label)}$")).last

    def uploads(self, name: str, content: bytes, media_type: str) -> None:
        """Choose a file in the page's one box for files."""
        chosen = {"name": name, "mimeType": media_type, "buffer": content}
        self.page.locator("input[type=file]").set_input_files(chosen)
        self.page.get_by_text(name).wait_for()
        browser.settled(self.page)

    def ticks(self, row: int = 0, table: int = 0) -> None:
        """Tick a row of a table by its place."""
        grid = self.page.get_by_test_id("stDataFrame").nth(table)
        grid.scroll_into_view_if_needed()
        grid.click(position={"x": TICK_X, "y": HEADER_HEIGHT + ROW_HEIGHT * row + ROW_HEIGHT // 2})
        self.page.wait_for_timeout(300)
        browser.settled(self.page)

    def writes_cell(self, row: int, text: str) -> None:
        """Write over the first cell of a row of the data editor."""
        grid = self.page.get_by_test_id("stDataFrame").first
        grid.scroll_into_view_if_needed()
        place = {"x": 60, "y": HEADER_HEIGHT + ROW_HEIGHT * row + ROW_HEIGHT // 2}
        grid.click(position=place)
        self.page.keyboard.press("Enter")
        field = self.page.locator("#portal").locator("input, textarea").first
        field.fill(text)
        field.press("Enter")
        self.page.wait_for_timeout(300)
        browser.settled(self.page)

    def reads(self, text: str) -> None:
        """Wait until the words stand on the screen."""
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible(timeout=PATIENCE)

    def cell(self, text: str) -> None:
        """Wait until a table holds the words (grids keep their texts beside the canvas)."""
        expect(self.page.locator("table[role=grid] td", has_text=text).first).to_be_attached(timeout=PATIENCE)
