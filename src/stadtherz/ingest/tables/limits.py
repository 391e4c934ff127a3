"""How large a table may be; each limit protects the machine that everybody else uses, too."""

LARGEST_FILE_MB = 500  # unless STADTHERZ_TABLE_MB says otherwise
MOST_ROWS = 20_000_000
MOST_COLUMNS = 1_000
LONGEST_CELL = 10_000  # characters
LONGEST_LINE = 1_000_000
LONGEST_QUOTED = 131_072  # characters of a cell in quotation marks; the limit of Python's csv

# Workbooks are zip archives, and a small one may unpack to very much.
MOST_UNPACKED = 4 * 1024**3
MOST_TEXTS = 128 * 1024**2  # of the table of texts, which is held in memory
LARGEST_RATIO = 200
MOST_PARTS = 2_000
MOST_SHEET_ROWS = 1_048_576  # what Excel itself allows

MOST_SERIES = 500  # in a long table
MOST_REPORTED = 200_000  # lines of a report
KEPT_DAYS = 30  # the file and its report, after the import is done
