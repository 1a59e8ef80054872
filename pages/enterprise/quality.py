"""数据质量: what looks wrong in an owner's ledger, and how to put it right."""

from db.models import OWNERS
from pages.parts import findings, look, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header("数据质量", f"{enterprise.name}：台账中可能有误的信息，点击名称打开对应的器具，逐台或一次改正。")
with looking(*OWNERS) as (session, account):
    found = findings.report(session, by=account, enterprise_id=enterprise.id)
if any(found.counts.values()):
    findings.draw(found, "ledger", enterprise.id)
else:
    look.empty(findings.NOTHING, page("ledger"), "去台账")
