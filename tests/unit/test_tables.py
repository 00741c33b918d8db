"""What all tables have in common."""

import boto3

from renderbell.store.tables import AccountRow, VideoRow, opened


def test_tables_make_no_sessions_of_their_own() -> None:
    tables = [opened(VideoRow, "videos"), opened(AccountRow, "accounts")]
    assert [table._get_connection().connection.session for table in tables] == [boto3._get_default_session()._session] * 2
