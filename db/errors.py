"""Refusals: every sentence in them is Chinese, for the visitor, and says what to do next."""

from collections.abc import Mapping


class Refused(Exception):
    """The rules do not allow it. `problems` gives one sentence for each field filled in wrongly.

    `is_noted` is set once it stands in the audit log.
    """

    is_noted = False

    def __init__(self, sentence: str, problems: Mapping[str, str] | None = None):
        super().__init__(sentence)
        self.problems = dict(problems or {})


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
