"""统一身份: whom the bureau's own OIDC provider knows, and as which of our accounts they sign in."""

from sqlmodel import Session, col, select

from db import accounts, settings, sign_ins
from db.errors import Conflict, Refused
from db.models import STAFF, Account

LONGEST = 200
NO_ACCOUNT = "您的统一身份没有可用的约检台账号，请联系{contact}关联或恢复账号"


def no_account(session: Session) -> str:
    """The sentence for whoever the provider knows and we do not, with whom to ask."""
    return NO_ACCOUNT.format(contact=settings.value(session, "contact") or "本系统的主管部门")


def begin(session: Session, issuer: str, subject: str, address: str, agent: str) -> str:
    """A ticket as of `sign_ins.begin` for whom the provider has just vouched for.

    Waits for a code only where staff must use one and the account has it. Raises Refused when no account
    is connected, or a suspended one: the sentence names the subject, for the audit log.
    """
    mine = (col(Account.oidc_subject) == key(issuer, subject), col(Account.is_active))
    account = session.exec(select(Account).where(*mine)).one_or_none()
    if account is None:
        raise Refused(f"{no_account(session)}（统一身份标识 {subject[:LONGEST]}）")
    has_to = account.role in STAFF and settings.value(session, "staff_code")
    needs_code = has_to and sign_ins.has_authenticator(session, account.id)
    return sign_ins.issue(session, account, address[:60], agent, needs_code, note="统一身份")


def connect(session: Session, account_id: int, issuer: str, subject: str, *, by: Account) -> Account:
    """Let the person whom the provider calls `subject` sign in as an account, whose sign-ins end.

    Raises Refused to all but administrators and for a subject that is empty, too long or connected already.
    """
    account = accounts.managed(session, account_id, by)
    name = "".join(letter for letter in subject if letter.isprintable()).strip()
    if not name or len(key(issuer, name)) > LONGEST:
        sentence = "请填写统一身份标识，与签发地址合计不超过 200 个字符"
        raise Refused(sentence, {"subject": sentence})
    taken = select(Account.id).where(Account.oidc_subject == key(issuer, name), Account.id != account.id)
    if session.exec(taken).first():
        raise Conflict("这个统一身份已关联另一个账号，请先解除", {"subject": "已关联另一个账号"})
    account.oidc_subject = key(issuer, name)
    sign_ins.end_all(session, account.id)
    session.flush()
    return account


def disconnect(session: Session, account_id: int, *, by: Account) -> Account:
    """Take the way in by the provider from an account, whose sign-ins end; for administrators."""
    account = accounts.managed(session, account_id, by)
    if account.oidc_subject is None:
        raise Refused("该账号没有关联统一身份，请刷新后重试")
    account.oidc_subject = None
    sign_ins.end_all(session, account.id)
    return account


def key(issuer: str, subject: str) -> str:
    """What an account stores: a subject means somebody within its issuer only."""
    return f"{issuer.rstrip('/')} {subject}"
