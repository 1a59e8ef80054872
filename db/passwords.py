"""Passwords: what may be one, and bcrypt hashes as the sign-in form checks them."""

import secrets
import unicodedata

import bcrypt

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
# Those that would pass the other rules and head every list of leaked passwords.
LEAKED = """
1234567890ab 123456789abc 123456789012 111111111111 123123123123 123456123456 112233445566 000000000000
1q2w3e4r5t6y 1qaz2wsx3edc 1qaz@wsx 1qaz!qaz !qaz2wsx qwe123!@# qwer1234 qwer!234 qwer@1234 qwerty123
qwerty@123 qwertyuiop123 qwertyuiop12 asdf1234 asdf@1234 zxcv1234 zxcvbnm123 a1234567 aa123456 aa123456!
aa@123456 abc12345 abc@1234 abc@12345 abc@123456 abcd1234 abcd@1234 abcd1234! a123456! a12345678
admin123 admin@123 admin@1234 admin@123456 administrator administrator1 changeme123 default@123
guest@123 huawei@123 huawei12#$ iloveyou1234 letmein123 passw0rd passw0rd! p@ssw0rd p@ssw0rd1 p@ssword
p@ssword1 p@ssword123 p@$$w0rd password1 password1! password12 password123 password1234 password@123
password@1 root@123 root@1234 test@123 test@1234 test1234 user@123 welcome1 welcome123 welcome@123
woaini1314 woaini520 woaini1314520 wang1234 zhang123
"""
COMMON = frozenset(LEAKED.split())


def hashed(password: str) -> str:
    """The bcrypt hash to store, made with a salt of its own; 0.2 to 0.7 seconds of work on purpose."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def matches(password: str, password_hash: str) -> bool:
    """Whether the password is the one that was hashed; never for one that is too long to have been."""
    typed = password.encode()
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
    if len(password.encode()) > MOST_BYTES:
        return f"密码过长：最多 {MOST_BYTES} 个字节，一个汉字占 3 个，请缩短"
    if password != password.strip():
        return "密码的开头和末尾不能是空格，请去掉"
    if not password.isprintable():
        return "密码含有不可见的字符，请重新输入"
    if len(password) < LONG_ENOUGH and _class_count(password) < 3:
        return f"密码须含大写字母、小写字母、数字、其他字符中的三种，或不少于 {LONG_ENOUGH} 个字符"
    return _easy_to_guess(password.casefold(), username)


def _class_count(password: str) -> int:
    return len({_class(letter) for letter in password})


def _class(letter: str) -> int:
    return next((number for number, belongs in enumerate(CLASSES) if belongs(letter)), len(CLASSES))


def _easy_to_guess(folded: str, username: str) -> str | None:
    if folded == unicodedata.normalize("NFKC", username).strip().casefold():
        return "密码不能与账号相同，请重新设置"
    if folded in COMMON or len(set(folded)) < 4:
        return "这个密码太常见，容易被猜中，请换一个"
    return None
