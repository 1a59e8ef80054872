"""Refusals: every sentence in them is Chinese, for the visitor, and says what to do next."""

import re
from collections.abc import Mapping

# Control characters but the line break, lone surrogates, and what turns the direction of the text after it,
# to look like something else.
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# A sentence may quote what was typed, as far as anybody reads it.
QUOTED = re.compile("“([^”]{80})[^”]{40,}”")
LONGEST = 1_000


class Refused(Exception):
    """The rules do not allow it. `problems` gives one sentence for each field filled in wrongly.

    `is_noted` is set once it stands in the audit log.
    """

    is_noted = False

    def __init__(self, sentence: str, problems: Mapping[str, str] | None = None):
        super().__init__(_readable(sentence))
        self.problems = {field: _readable(problem) for field, problem in (problems or {}).items()}


def _readable(sentence: str) -> str:
    plain = QUOTED.sub(r"“\1…”", HIDDEN.sub("\ufffd", sentence))
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"


class NotFound(Refused):
    """Absent, or not within the asker's reach: the same words for both."""

    def __init__(self, what: str = "记录"):
        super().__init__(f"{what}不存在，或不在您的权限范围内，请返回列表刷新后重试")


class Conflict(Refused):
    """Someone was quicker."""

    def __init__(
        self, sentence: str = "记录已被他人处理，请刷新后重试", problems: Mapping[str, str] | None = None
    ):
        super().__init__(sentence, problems)
