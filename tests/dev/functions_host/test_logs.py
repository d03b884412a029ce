import logging

from dev.functions_host.logs import OneLine


def test_only_a_records_first_line_stands_at_the_margin() -> None:
    record = logging.LogRecord("app", logging.INFO, "", 0, "said\n12:00:00 forged\r\nmore", (), None)
    first, *rest = OneLine().format(record).split("\n")
    assert first.endswith("INFO    app said")
    assert rest == ["    12:00:00 forged", "    more"]
