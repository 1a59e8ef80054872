"""recovery, the outbox, sign-ins, links, the audit log's lock, editions that wait for their day

Revision: 0003, after 0002
"""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _registrations_and_links()
    _recovery_and_outbox()
    _sign_ins()
    _audit()
    _reference()


def _registrations_and_links() -> None:
    pass


def _recovery_and_outbox() -> None:
    pass


def _sign_ins() -> None:
    pass


def _audit() -> None:
    pass


def _reference() -> None:
    pass
