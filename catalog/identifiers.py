"""What people type to identify themselves: credit codes, organization codes, telephone numbers."""

import re
import unicodedata
from collections.abc import Iterable

# GB 32100-2015: the alphabet leaves out I, O, S, V and Z.
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# GB 11714: digits and all letters, A counting 10.
ORGANIZATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# What a letter outside the alphabet was most likely meant to be; V has no digit that looks like it.
MISREAD = {"I": "1", "O": "0", "S": "5", "Z": "2"}

CREDIT = "统一社会信用代码"
ORGANIZATION = "组织机构代码"
DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fc]")
SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}")


class IdentifierError(ValueError):
    """What was typed is no such identifier: one Chinese sentence saying what is wrong and what to do.

    `suggestion` is the identifier that was probably meant, to be offered and never taken silently, or None.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        """Refuse with `message`, and perhaps offer `suggestion`."""
        super().__init__(message)
        self.suggestion = suggestion


def fold(text: str) -> str:
    """The text without the differences one cannot see: NFKC, no invisible characters, no outer space.

    Full-width forms become plain ones, U+00A0 and U+3000 become a space, zero-width characters, byte order
    and direction marks go. Case and inner spaces stay. It also turns ³ into 3 and ℃ into °C: for identifiers
    and comparisons, not for text that is kept as typed.
    """
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible).strip()


def _bare(text: str) -> str:
    """Folded, upper case, without spaces and dashes."""
    return re.sub(r"[\s-]", "", DASHES.sub("-", fold(text))).upper()


def credit_check_character(body: str) -> str:
    """The 18th character for the first 17 of a credit code (GB 32100-2015)."""
    total = _weighted(body, CREDIT_ALPHABET, CREDIT_WEIGHTS)
    return CREDIT_ALPHABET[-total % 31]


def organization_check_character(body: str) -> str:
    """The ninth character, 0-9 or X, for the first eight of an organization code (GB 11714)."""
    total = _weighted(body, ORGANIZATION_ALPHABET, ORGANIZATION_WEIGHTS)
    return "0123456789X"[-total % 11]


def _weighted(body: str, alphabet: str, weights: Iterable[int]) -> int:
    return sum(alphabet.index(char) * weight for char, weight in zip(body, weights, strict=True))


def credit_code(text: str) -> str:
    """The clean 18-character 统一社会信用代码 (GB 32100-2015), or IdentifierError.

    The first place may be a digit or N, A, Y (village collectives and others). The division digits are not
    looked up: abolished codes and that of the registering authority are legal there.
    """
    code = _bare(text)
    _refuse_spoiled(code, CREDIT)
    _refuse_length(code, 18, CREDIT)
    _refuse_letters(code)
    if not re.fullmatch(r"[0-9ANY][0-9]{7}.{10}", code):
        raise IdentifierError(f"{CREDIT}第 1 位应为数字或 N、A、Y，第 2 至 8 位应为数字，请对照证照改正")
    if code[17] != credit_check_character(code[:17]):
        raise IdentifierError(f"{CREDIT}的校验位不对，可能输错一位或颠倒两位，请对照证照逐位核对")
    return code


def organization_code(text: str) -> str:
    """The clean 组织机构代码 (GB 11714) as 'XXXXXXXX-X', or IdentifierError."""
    code = _bare(text)
    _refuse_spoiled(code, ORGANIZATION)
    _refuse_length(code, 9, ORGANIZATION)
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", code):
        raise IdentifierError(f"{ORGANIZATION}只含数字和字母，末位为数字或 X，请对照证照改正")
    if code[8] != organization_check_character(code[:8]):
        raise IdentifierError(f"{ORGANIZATION}的校验位不对，可能输错一位或颠倒两位，请对照证照逐位核对")
    return f"{code[:8]}-{code[8]}"


def organization_part(code: str) -> str:
    """The nine characters of the organization code within either clean code; an empty text stays empty.

    In a credit code they are places 9 to 17 (GB 32100-2015).
    """
    return code[8:17] if len(code) == 18 else code.replace("-", "")


def enterprise_code(text: str) -> str:
    """A credit code or an organization code, whichever was typed, clean; or IdentifierError."""
    code = _bare(text)
    if len(code) == 9:
        return organization_code(code)
    if len(code) == 18 or SCIENTIFIC.fullmatch(code):
        return credit_code(code)
    _refuse_spoiled(code, f"{CREDIT}或{ORGANIZATION}")
    raise IdentifierError(
        f"应填 18 位{CREDIT}或 9 位{ORGANIZATION}，现为 {len(code)} 位，请补全或删去多余字符"
    )


def _refuse_spoiled(code: str, name: str) -> None:
    if not code:
        raise IdentifierError(f"请填写{name}")
    if SCIENTIFIC.fullmatch(code) and not code.isalnum():
        raise IdentifierError(f"{name}已被表格软件改成科学计数法，请把该列设为文本格式后重新填写")


def _refuse_length(code: str, length: int, name: str) -> None:
    if len(code) != length:
        raise IdentifierError(f"{name}应为 {length} 位，现为 {len(code)} 位，请补全或删去多余字符")


def _refuse_letters(code: str) -> None:
    place = next((place for place, char in enumerate(code) if char not in CREDIT_ALPHABET), None)
    if place is None:
        return
    char = code[place]
    if char not in "IOSVZ":
        raise IdentifierError(f"{CREDIT}第 {place + 1} 位“{char}”不是数字或大写字母，请对照证照改正")
    hint = f"，可能应为数字 {MISREAD[char]}" if char in MISREAD else ""
    raise IdentifierError(
        f"{CREDIT}第 {place + 1} 位是“{char}”，而代码中不用字母 I、O、S、V、Z{hint}，请对照证照改正",
        suggestion=_repaired(code),
    )


def _repaired(code: str) -> str | None:
    """The code with misread letters turned into digits, if it then holds."""
    candidate = "".join(MISREAD.get(char, char) for char in code)
    try:
        return None if candidate == code else credit_code(candidate)
    except IdentifierError:
        return None


def mobile(text: str) -> str:
    """The 11 digits of a mainland mobile number (手机号), or IdentifierError.

    Spaces, dashes, full-width digits and +86 / 0086 / 86 in front are folded away. All prefixes 13 to 19
    pass, because new ones are issued every year.
    """
    number = re.sub(r"^(?:\+|00)?86(?=1[0-9]{10}$)", "", _bare(text))
    if not number:
        raise IdentifierError("请填写手机号")
    if not re.fullmatch(r"[0-9]+", number):
        raise IdentifierError("手机号只含数字，请只填一个 11 位手机号")
    if len(number) != 11:
        raise IdentifierError(f"手机号应为 11 位，现为 {len(number)} 位，请补全或删去多余数字")
    if not re.fullmatch(r"1[3-9][0-9]{9}", number):
        raise IdentifierError("手机号应以 13 至 19 开头，请核对后改正")
    return number


# Area codes: 010, 02x, and four digits from 03xx on; the dash before an extension may not be left out.
LANDLINE = re.compile(
    r"\(?(0(?:10|2[0-9]|[3-9][0-9]{2}))\)?-?([1-9][0-9]{2,3})-?([0-9]{4})(?:(?:-|转|分机|EXT\.?|X|#)([0-9]{1,6}))?"
)
SERVICE = re.compile(r"([48]00)-?([0-9]{3})-?([0-9]{4})|([48]00)-?([0-9]{4})-?([0-9]{3})")


def telephone(text: str) -> str:
    """A telephone number in one spelling, or IdentifierError.

    '13800138000', '0571-87654321', with an extension '0571-87654321-801', or '400-813-5888'.
    """
    number = re.sub(r"\s", "", DASHES.sub("-", fold(text))).upper()
    if not number:
        raise IdentifierError("请填写联系电话")
    if re.fullmatch(r"1[3-9][0-9]{9}", digits := _national(number)):
        return digits
    if found := SERVICE.fullmatch(number):
        digits = "".join(part for part in found.groups() if part)
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    if found := LANDLINE.fullmatch(_with_area_code(number)):
        area, first, second, extension = found.groups()
        return f"{area}-{first}{second}" + (f"-{extension}" if extension else "")
    raise IdentifierError(
        "联系电话应为 11 位手机号、带区号的固定电话（如 0571-87654321 转 801）或 400 电话，"
        "请改正，并且只填一个号码"
    )


def _national(number: str) -> str:
    """The digits of a mobile number without the country's prefix; other numbers as they are."""
    return re.sub(r"^(?:\+|00)?86(?=1[3-9][0-9]{9}$)", "", number.replace("-", ""))


def _with_area_code(number: str) -> str:
    """A landline written for callers from abroad (+86-571-...) gets the 0 of its area code back."""
    return re.sub(r"^(?:\+86|0086)-?(\(?)0?", r"\g<1>0", number)
