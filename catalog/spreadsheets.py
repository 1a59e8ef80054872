"""What the format of workbooks calls things, for all that read and write them."""

import re
from datetime import date

# The media type of .xlsx.
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# Excel's number formats for texts, days and whole numbers.
TEXT, DAY, WHOLE = "@", "yyyy-mm-dd", "0"

# Excel counts days from here, from 1900-03-01 on; some workbooks of old Macs count from the other.
EPOCH, EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)

# XML 1.0 has no place for these characters, not even escaped.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
