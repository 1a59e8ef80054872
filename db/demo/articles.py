"""What the instruments of each kind look like: invented makers, believable plates, in `articles.csv`.

Kind 91001 (gas detectors) is left out: its sources doubt that it is verified at all.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from db.models import DeliveryMode, Origin, Purpose

PATH = Path(__file__).parent / "articles.csv"
IMPORTED = {"三浦医疗仪器株式会社", "莱茵光学仪器公司", "北海计量技术公司"}


@dataclass(frozen=True)
class Article:
    """One make of instrument. A plate is 型号规格, 测量范围, 准确度等级; `serial` formats a number."""

    kind_code: str
    name: str
    purpose: Purpose
    delivery_mode: DeliveryMode
    serial: str
    manufacturers: tuple[str, ...]
    locations: tuple[str, ...]
    plates: tuple[tuple[str, ...], ...]


@cache
def articles() -> dict[str, tuple[Article, ...]]:
    """The articles by the code of their kind."""
    found: dict[str, tuple[Article, ...]] = {}
    with PATH.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            article = _article(row)
            found[article.kind_code] = (*found.get(article.kind_code, ()), article)
    return found


def _article(row: dict[str, str]) -> Article:
    return Article(
        kind_code=row["kind_code"],
        name=row["name"],
        purpose=Purpose(row["purpose"]),
        delivery_mode=DeliveryMode(row["delivery_mode"]),
        serial=row["serial"],
        manufacturers=tuple(row["manufacturers"].split("；")),
        locations=tuple(row["locations"].split("；")),
        plates=tuple(tuple(plate.split("|")) for plate in row["plates"].split("；")),
    )


def origin_of(manufacturer: str) -> Origin:
    """器具产地, by the maker."""
    return Origin.imported if manufacturer in IMPORTED else Origin.domestic
