"""营业执照扫描件 of the applications under review and of the first enterprise, like photographs."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from sqlmodel import Session, col, select

from db import attachments
from db.models import Registration, RegistrationStatus, Role

SIZE = (900, 640)
PAPER, FRAME, INK, FAINT, RED, GOLD = "#fdfcf6", "#b08d3c", "#222222", "#8d8d8d", "#c62828", "#d4a017"
# Shares of the width that the lines of print take, as on a page nobody can read from afar.
LINES = ((0.52, 0.24), (0.38, 0.30), (0.60, 0.18), (0.44, 0.26))
MODULES, MODULE = 21, 5


def write(session: Session) -> None:
    """Give a scan to every application of an enterprise that is not approved yet, and to the first one."""
    kept = (col(Registration.status) != RegistrationStatus.approved) | (col(Registration.enterprise_id) == 1)
    rows = select(Registration).where(kept, Registration.role == Role.enterprise)
    for registration in session.exec(rows.order_by(col(Registration.id))):
        picture = _drawn(registration.credit_code, registration.number)
        scan = attachments.add(session, "营业执照.png", picture, "image/png", by=None)
        scan.created_at = registration.submitted_at
        registration.licence_id = scan.id
        session.add(registration)
    session.flush()


def _drawn(code: str, number: str) -> bytes:
    """A licence with the code that can be read, an emblem, a square code, lines of print and a seal."""
    sheet = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(sheet)
    for inset, width in ((14, 8), (30, 2)):
        draw.rectangle((inset, inset, SIZE[0] - inset, SIZE[1] - inset), outline=FRAME, width=width)
    _emblem(draw, SIZE[0] // 2, 110)
    draw.rectangle((290, 180, 610, 214), fill=INK)
    draw.text((70, 244), code, INK, ImageFont.load_default(34))
    draw.text((70, 290), f"No. {number}", FAINT, ImageFont.load_default(20))
    _square(draw, code, SIZE[0] - 70 - MODULES * MODULE, 230)
    for place, (left, right) in enumerate(LINES):
        y = 370 + place * 46
        for x, label, share in ((70, 90, left), (480, 90, right)):
            draw.rectangle((x, y, x + label, y + 14), fill=FAINT)
            draw.rectangle((x + label + 16, y, x + label + 16 + int(share * 400), y + 14), fill=INK)
    _seal(draw, 740, 530)
    kept = BytesIO()
    sheet.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _emblem(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.ellipse((x - 52, y - 52, x + 52, y + 52), fill=RED, outline=GOLD, width=6)
    draw.regular_polygon((x, y - 6, 22), 3, fill=GOLD)
    for offset in (-26, -9, 9, 26):
        draw.ellipse((x + offset - 5, y + 22, x + offset + 5, y + 32), fill=GOLD)


def _square(draw: ImageDraw.ImageDraw, code: str, left: int, top: int) -> None:
    """Modules like those of a square code; nothing reads it."""
    seed = sum(ord(letter) * (place + 3) for place, letter in enumerate(code))
    for place in range(MODULES * MODULES):
        row, column = divmod(place, MODULES)
        edge = (min(row, MODULES - 1 - row) < 7 and column < 7) or (row < 7 and column > MODULES - 8)
        seed = (seed * 1103515245 + 12345) % (1 << 31)
        if not edge and seed >> 16 & 1:
            x, y = left + column * MODULE, top + row * MODULE
            draw.rectangle((x, y, x + MODULE - 1, y + MODULE - 1), fill=INK)
    far = (MODULES - 7) * MODULE
    for x, y in ((left, top), (left + far, top), (left, top + far)):
        draw.rectangle((x, y, x + 7 * MODULE - 1, y + 7 * MODULE - 1), outline=INK, width=MODULE)
        draw.rectangle((x + 2 * MODULE, y + 2 * MODULE, x + 5 * MODULE - 1, y + 5 * MODULE - 1), fill=INK)


def _seal(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.ellipse((x - 66, y - 66, x + 66, y + 66), outline=RED, width=6)
    draw.ellipse((x - 50, y - 50, x + 50, y + 50), outline=RED, width=2)
    draw.regular_polygon((x, y, 22), 5, rotation=36, fill=RED)
