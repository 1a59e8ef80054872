"""数据质量: what looks wrong in the ledgers of the area; each number opens its rows."""

from db.models import Role
from pages.parts import findings, look
from pages.parts.account import looking, signed_in

WATCHERS = (Role.supervisor, Role.reviewer)

signed_in(*WATCHERS)
look.header(
    "数据质量", "辖区台账中可能有误的信息，点击名称查看对应的器具。由使用单位自行改正，报废的器具不计。"
)
with looking(*WATCHERS) as (session, account):
    found = findings.report(session, by=account)
if any(found.counts.values()):
    findings.draw(found, "instruments")
else:
    look.empty(findings.NOTHING)
