"""Values as providers send them: every shape they are known to come in, and none that breaks the reader."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.values import creation, integer, iso, moment, number, retry_after_seconds, text

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone by `timezones`


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ready", "ready"),
        ("  ready\n", "ready"),
        (42, "42"),
        (0, "0"),
        ("", None),
        ("   ", None),
        ("null", None),
        (" null ", None),
        (None, None),
        (True, None),
        (False, None),
        ({"a": 1}, None),
        (["a"], None),
        ("nullify", "nullify"),
        ("half \ud83d", "half ?"),
    ],
)
def test_text_is_read_without_what_means_nothing(value: Any, expected: str | None) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (3.5, 3.5),
        ("3.5", 3.5),
        (" 3 ", 3.0),
        (-1, -1.0),
        (True, None),
        ("", None),
        ("soon", None),
        (None, None),
        ([1], None),
        ("nan", None),
        ("inf", None),
        (math.inf, None),
        (math.nan, None),
        (10**400, None),
        ("1e400", None),
    ],
)
def test_a_number_is_finite_or_nothing(value: Any, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), ("3", 3), (3.0, 3), (3.5, None), ("3.5", None), ("x", None), (True, None)]
)
def test_an_integer_is_whole_or_nothing(value: Any, expected: int | None) -> None:
    assert integer(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        1795521600,
        1795521600.0,
        "1795521600",
        1795521600000,
        "1795521600000",
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T12:00:00",
        "2026-11-24 12:00:00",
        "2026-11-24T13:00:00+01:00",
        "Tue, 24 Nov 2026 12:00:00 GMT",
        "Tue, 24 Nov 2026 07:00:00 -0500",
    ],
)
def test_a_time_is_read_from_every_form_the_providers_use(value: Any) -> None:
    read = moment(value)

    assert read == NOON
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "null",
        "yesterday",
        True,
        {},
        [],
        1e300,
        -1e300,
        "1e18",
        math.nan,
        "0001-01-01T00:00:00+14:00",
        "2026-13-01T00:00:00Z",
    ],
)
def test_a_time_that_cannot_be_read_is_no_time_and_no_error(value: Any) -> None:
    assert moment(value) is None


@pytest.mark.parametrize(
    "value",
    [
        0,
        "0",
        0.0,
        -1,
        1,
        "1",
        -62135596800,
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1900-01-01",
        "2014-12-31T23:59:59Z",
    ],
)
def test_a_creation_before_there_was_any_provider_is_not_known(value: Any) -> None:
    assert creation(value) is None
    assert moment(value) is not None, "other times may be as old as they like"


@pytest.mark.parametrize("value", ["2015-01-01T00:00:00Z", "2015-01-01T01:00:00+01:00", 1420070400, "1420070400000"])
def test_a_creation_since_there_are_providers_is_read_like_any_time(value: Any) -> None:
    assert creation(value) == moment(value) == datetime(2015, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "null", "yesterday", True, {}, math.nan, "0001-01-01T00:00:00+14:00"])
def test_a_creation_that_cannot_be_read_is_not_known(value: Any) -> None:
    assert creation(value) is None


@given(value=JSON_VALUES)
def test_no_value_of_any_shape_breaks_a_reader(value: Any) -> None:
    read, counted, timed, made = text(value), number(value), moment(value), creation(value)

    assert read is None or (read == read.strip() and read not in {"", "null"})
    assert counted is None or math.isfinite(counted)
    assert timed is None or timed.tzinfo is UTC
    assert made in {None, timed}


@given(at=TIMES)
def test_a_time_survives_seconds_milliseconds_and_text(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    seconds = at.replace(microsecond=0)

    assert moment(iso(at)) == at
    assert moment(int(seconds.timestamp())) == seconds
    if at.timestamp() > 1e8:  # milliseconds before March 1973 look like seconds
        assert moment(round(at.timestamp() * 1000)) == at


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, "2026-11-24T12:00:00Z"),
        (NOON.replace(microsecond=123_456), "2026-11-24T12:00:00.123Z"),
        (NOON.astimezone(timezone(timedelta(hours=5))), "2026-11-24T12:00:00Z"),
        (None, None),
    ],
)
def test_times_leave_in_one_form(value: datetime | None, expected: str | None) -> None:
    assert iso(value) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1.5", 1.5),
        ("Tue, 24 Nov 2026 12:01:30 GMT", 90.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_negative(header: str | None, expected: float | None) -> None:
    assert retry_after_seconds(header, NOON) == expected
