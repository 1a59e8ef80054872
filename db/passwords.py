"""Passwords: what may be one, and bcrypt hashes as the sign-in form checks them."""

import secrets
import unicodedata

import bcrypt
from zxcvbn import zxcvbn

from db.errors import Refused

COST = 12
SHORTEST, LONGEST = 8, 64
LONG_ENOUGH = 12
# bcrypt reads no further, and its library refuses to.
MOST_BYTES = 72
CLASSES = (str.isupper, str.islower, str.isdecimal)
# Of a random secret nobody kept: an unknown name costs the same work as a wrong password.
DUMMY_HASH = "$2b$12$2gS6EkgdqLsLeKQcO/Aw.OFehLI4JyrvOKS1qSt/vhWe/IYYW.4HS"
# Without the letters and digits that look alike.
READABLE = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
# Of 4, by zxcvbn: 10^8 guesses or more (Wheeler, USENIX Security 2016). It knows 30,000 leaked passwords,
# names, words, keyboard rows, dates and what people put in the place of letters.
WEAKEST = 3
# A sign or two put into "Admin123456" do not save it: the rest must be worth 10^6 guesses.
FEW_SIGNS, BARE_GUESSES = 2, 10**6


def hashed(password: str) -> str:
    """The bcrypt hash to store, made with a salt of its own; 0.2 to 0.7 seconds of work on purpose."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str) -> bool:
    """Whether the password is the one that was hashed; never for one that is too long to have been."""
    typed = password.encode(errors="surrogatepass")
    return len(typed) <= MOST_BYTES and bcrypt.checkpw(typed, password_hash.encode())


def generated() -> str:
    """A random password to pass on by telephone: three groups of four letters and digits nobody misreads."""
    groups = ("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


def check(password: str, username: str) -> None:
    """Raise Refused, with the sentence also under `password`, unless it may be a password of this user.

    8 to 64 characters of three of four classes (GB/T 22239-2019, 身份鉴别 a), or 12 and more of any.
    """
    if problem := _problem(password, username):
        raise Refused(problem, {"password": problem})


def _problem(password: str, username: str) -> str | None:
    if not SHORTEST <= len(password) <= LONGEST:
        return f"密码须为 {SHORTEST} 至 {LONGEST} 个字符，请重新设置"
    if len(password.encode(errors="surrogatepass")) > MOST_BYTES:
        return f"密码过长：最多 {MOST_BYTES} 个字节，一个汉字占 3 个，请缩短"
    if password != password.strip():
        return "密码的开头和末尾不能是空格，请去掉"
    if not password.isprintable():
        return "密码含有不可见的字符，请重新输入"
    if len(password) < LONG_ENOUGH and _class_count(password) < 3:
        return f"密码须含大写字母、小写字母、数字、其他字符中的三种，或不少于 {LONG_ENOUGH} 个字符"
    return _easy_to_guess(password, username)


def _class_count(password: str) -> int:
    return len({_class(letter) for letter in password})


def _class(letter: str) -> int:
    return next((number for number, belongs in enumerate(CLASSES) if belongs(letter)), len(CLASSES))


def _easy_to_guess(password: str, username: str) -> str | None:
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    if password.casefold() == name:
        return "密码不能与账号相同，请重新设置"
    bare = "".join(letter for letter in password if letter.isalnum())
    has_few_signs = 0 < len(password) - len(bare) <= FEW_SIGNS
    if zxcvbn(password, user_inputs=[name])["score"] < WEAKEST or (
        has_few_signs and zxcvbn(bare, user_inputs=[name])["guesses"] < BARE_GUESSES
    ):
        return "这个密码太常见，容易被猜中，请换一个"
    return None
