"""What all tables have in common."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import UpdateError

from renderbell.aws import session
from renderbell.store.tables import CONDITION_FAILED, CONFLICT, AccountRow, VideoRow, opened, wrote


def test_tables_make_no_sessions_of_their_own() -> None:
    tables = [opened(VideoRow, "videos"), opened(AccountRow, "accounts")]
    assert [table._get_connection().connection.session for table in tables] == [session()] * 2


class Row:
    """A row whose updates end in what it is given, one by one."""

    def __init__(self, *ends: str | None) -> None:
        self.ends = iter(ends)

    def update(self, **_: Any) -> None:
        if (code := next(self.ends)) is not None:
            raise UpdateError("no", cause=ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem"))


@pytest.mark.parametrize(
    ("ends", "done"),
    [([None], True), ([CONDITION_FAILED], False), ([CONFLICT, CONFLICT, None], True), ([CONFLICT, CONDITION_FAILED], False)],
)
def test_a_write_waits_for_another_polls_transaction_and_is_refused_by_its_condition_alone(
    ends: list[str | None], monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert wrote(cast("Any", Row(*ends)), []) is done


@pytest.mark.parametrize("ends", [["InternalServerError"], [CONFLICT] * 9])
def test_a_write_that_fails_otherwise_or_for_too_long_is_an_error(ends: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(UpdateError):
        wrote(cast("Any", Row(*ends)), [])
