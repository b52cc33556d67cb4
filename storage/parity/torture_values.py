"""Values of every type that stores, drivers and proxies are known to bend, as PostgreSQL reads and writes them.

Each is written as the server would write it, so that its canonical form can be told without a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.dataset import ColumnType

_INSTANTS = (
    "2024-07-01 12:00:00",  # summer in some zones
    "2024-02-29 23:59:59.123456",
    "2024-02-29 23:59:59.9995",  # rounds into another month
    "2000-01-01 00:00:00.0005",  # half a millisecond on either side of the server's zero
    "1999-12-31 23:59:59.1235",
    "1969-12-31 23:59:59.999",
    "1582-10-10 00:00:00",  # a day that another calendar leaves out
    "0001-01-01 00:00:00",
    "0044-03-15 12:00:00 BC",
    "9999-12-31 23:59:59.999999",
    "10000-01-01 00:00:00",
    "294276-12-31 23:59:59",
    "infinity",
    "-infinity",
)

VALUES: Mapping[ColumnType, Sequence[str]] = {
    ColumnType.UUID: (
        "00000000-0000-0000-0000-000000000000",
        "01234567-89ab-cdef-0123-456789abcdef",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ),
    ColumnType.TEXT: (
        "",
        " ",
        "  both ends  ",
        "'single' \"double\" `back` $dollar$",
        "C:\\new\\table \\x41 \\N \\.",
        "tab\tline\nreturn\r\nend",
        "\x01\x1f\x7f",
        "\ufeffbyte order mark",
        "\u05e9\u05dc\u05d5\u05dd \u202eright to left\u202c",
        "\U0001f600 \U0001d4b3 \U0001f469\u200d\U0001f467",
        "caf\u00e9 cafe\u0301 \u00df \u0130 \u0131",
        "no\u00a0break\u2028line",
        "NULL",
        "null",
        "{a,b}",
        "a|b\\|c",
        "1.0",
        "long " * 2_000,
    ),
    ColumnType.JSON: (
        "{}",
        "[]",
        "null",
        "true",
        '""',
        '"\\u00e9 \\" \\\\ \\n / \U0001f600"',
        "9007199254740993",
        "1.10",
        "-0",
        "1e-7",
        "1e400",
        "123456789012345678.12345678901234567890",
        '{"b": 1, "a": [{"c": null}, "x", [1.0, 1]], "": {"": ""}}',
        '{"a": 1, "a": 2}',
        "[" * 50 + "]" * 50,
    ),
    ColumnType.INTEGER: (
        "0",
        "-1",
        "32768",
        "2147483648",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
    ),
    ColumnType.NUMERIC: (
        "0",
        "0.00",
        "-0.5",
        "1.50",
        "100",
        "9007199254740993",
        "123456789012345678.12345678901234567890",
        "0.00000000000000000001",
        "99999999999999999999999999999999999999",
        "NaN",
        "Infinity",
        "-Infinity",
    ),
    ColumnType.FLOAT: (
        "0",
        "0.1",
        "-1.5",
        "0.30000000000000004",
        "1e-05",
        "9.007199254740994e+15",
        "5e-324",
        "1.7976931348623157e+308",
        "NaN",
        "Infinity",
        "-Infinity",
    ),
    ColumnType.BOOLEAN: ("true", "false"),
    ColumnType.DATE: (
        "2024-02-29",
        "1970-01-01",
        "1582-10-10",
        "0001-01-01",
        "0044-03-15 BC",
        "4713-01-01 BC",
        "9999-12-31",
        "10000-01-01",
        "5874897-12-31",
        "infinity",
        "-infinity",
    ),
    ColumnType.TIME: ("00:00:00", "12:34:56.1", "23:59:59.999999", "24:00:00"),
    ColumnType.TIME_ZONED: ("00:00:00+00", "12:34:56.1+05:30", "23:59:59.999999-12", "12:00:00+15:59:59"),
    ColumnType.TIMESTAMP_MS: _INSTANTS,
    ColumnType.TIMESTAMP_US: _INSTANTS,
    ColumnType.INTERVAL: (
        "00:00:00",
        "24:00:00",
        "1 day",
        "1 mon",
        "1 year 2 mons 3 days 04:05:06.789",
        "-1 days +02:03:00",
        "-00:00:00.000001",
        "178000000 years",
    ),
    ColumnType.BYTES: ("\\x", "\\x00", "\\x5c27220a", "\\x00ff80feff"),
}
"""Of each type, at least two."""

SINGLE: Sequence[str] = ("0", "0.1", "-1.5", "1e-05", "1.5e+16", "3.4028235e+38", "NaN", "Infinity", "-Infinity")
"""Floats that 32 bits hold, and that are written alike with 64."""
PLAIN_JSON: Sequence[str] = (
    "{}",
    "[]",
    "null",
    "true",
    '""',
    '"\u00e9 \\" \\\\ \\n / \U0001f600"',
    "9007199254740993",
    "1.10",
    "123456789012345678.12345678901234567890",
    '{"a": [{"c": null}, "x", [1.0, 1]], "b": 1}',
    "[" * 50 + "]" * 50,
)
"""JSON that `json`, which keeps what was sent, and `jsonb` write alike."""
