"""How much a file may cost and hold. Whatever goes beyond is refused, by a sentence or by the kernel."""

from importlib.util import find_spec

# Windows cannot bind a process to limits; without them no file of another person is opened.
CAN_LIMIT = find_spec("resource") is not None
# What the reading process may take: bytes of address space, seconds of processor for one file.
MEMORY = 512 * 2**20
SECONDS = 10
# Seconds without a sign of life after which it is ended.
SILENCE = 30

FILE_SIZE = 64 * 2**20
# Of a packed workbook: bytes when unpacked, how many times its packed size above a harmless size, its parts.
UNPACKED = 200 * 2**20
HARMLESS = 20 * 2**20
RATIO = 120
PARTS = 2000

ROWS = 200_000
COLUMNS = 100
# Excel's own limit for the characters of a cell.
CELL = 32_767
# Bytes of all rows together, as the reading process writes them.
TEXT = 200 * 2**20

AGAIN = "请用 Excel 或 WPS 打开，只保留台账一个工作表，另存为 .xlsx 后重新上传"
TOO_SLOW = f"文件过大或过于复杂，{SECONDS} 秒内没有读完，{AGAIN}"
TOO_BIG = f"文件展开后超过 {MEMORY // 2**20} MB 内存，无法读取，{AGAIN}"
DIED = f"文件无法读取，{AGAIN}"
UNLIMITED = "约检台装在 Windows 上时不能读取上传的文件，请联系管理员改装在 Linux 服务器上"


def impose(seconds: int, memory: int = MEMORY) -> None:
    """Bind this process to `seconds` of processor time and `memory` bytes. It cannot loosen them again."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # At the first the process gets SIGXCPU, which tells its parent why it died; the second is final.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
