"""Personal data: how much of it is shown to whom. docs/privacy.md has the table; GB/T 35273-2020 the idea."""

import re

# 18 places with a check character, or the older 15; the seventh place begins the day of birth.
IDENTITY = re.compile(r"(?<![0-9A-Za-z])(\d{3})\d{11,14}([\dXx]{4}|\d{3}[Xx])(?![0-9A-Za-z])")
MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")


def mobile(number: str) -> str:
    """A mobile number with its middle four digits hidden: 138****8000; anything else but for its ends."""
    if MOBILE.fullmatch(number):
        return MOBILE.sub(r"\1****\2", number)
    return number if len(number) < 5 else f"{number[:2]}****{number[-2:]}"


def mail(address: str) -> str:
    """A mail address with its name hidden but for the first character: z***@example.com."""
    name, at, host = address.partition("@")
    return f"{name[:1]}***{at}{host}"


def name(full: str) -> str:
    """A person's name with all but the first character hidden: 张*, 欧**."""
    return full[:1] + "*" * min(len(full) - 1, 3)


def address(full: str) -> str:
    """An address with what follows the first six characters hidden: 西湖区文三路***."""
    return full if len(full) <= 6 else f"{full[:6]}***"


def identity(number: str) -> str:
    """An identity number with the middle hidden, three places before and four after: 110***********002X."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) > 7 else "*" * len(number)


def text(said: str) -> str:
    """A sentence with the mobile and identity numbers in it hidden, for the audit log."""
    return MOBILE.sub(r"\1****\2", IDENTITY.sub(lambda found: identity(found.group()), said))
