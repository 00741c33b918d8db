"""What every status word of every provider means: the tables of FACTS.md, and the words they do not have."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from renderbell.video import Status
from tests.providers.fakes import KINDS, provider, read_body
from tests.providers.listings import ROWS

QUEUED, GENERATING, COMPLETED = Status.QUEUED, Status.GENERATING, Status.COMPLETED
FAILED, DELETED, UNKNOWN = Status.FAILED, Status.DELETED, Status.UNKNOWN

WORDS: Final[Mapping[str, Mapping[str, Status]]] = {
    "tavus": {
        "queued": QUEUED,
        "generating": GENERATING,
        "ready": COMPLETED,
        "error": FAILED,
        "deleted": DELETED,
    },
    "heygen": {
        "draft": QUEUED,
        "waiting": QUEUED,
        "pending": QUEUED,
        "queued": QUEUED,
        "processing": GENERATING,
        "completed": COMPLETED,
        "failed": FAILED,
        "not_found": DELETED,
    },
    "heygen-v1": {
        "draft": QUEUED,
        "waiting": QUEUED,
        "pending": QUEUED,
        "processing": GENERATING,
        "completed": COMPLETED,
        "failed": FAILED,
    },
    "memories": {
        "UNPARSE": GENERATING,
        "PARSE": COMPLETED,
        "DONE": COMPLETED,
        "PARSE_ERROR": FAILED,
        "FAIL": FAILED,
        "FAILED": FAILED,
        "PENDING": QUEUED,
        "UPLOADING": QUEUED,
        "PROCESSING": GENERATING,
    },
}
WORDED = [(kind, word, status) for kind, words in WORDS.items() for word, status in words.items()]
STRANGE: Final = ("rendering", "Completed!", "complete", "ok", "100", "unknown", "done.", "ready to go")

JOBS: Final[Mapping[str, Status]] = {
    "pending": QUEUED,
    "running": GENERATING,
    "awaiting_approval": GENERATING,
    "succeeded": COMPLETED,
    "failed": FAILED,
    "cancelled": FAILED,
}


def status_of(kind: str, **fields: Any) -> Status:
    """Return the status of one listed video whose row has these fields."""
    return seen_as(kind, **fields)[0]


def seen_as(kind: str, **fields: Any) -> tuple[Status, str | None]:
    row = {**ROWS[kind]("v1"), **fields}
    lists = {"memories": {"videos": [row]}, "heygen-v1": {"videos": [row]}}
    [seen] = read_body(kind, {"data": lists.get(kind, [row]), "has_more": False}).sightings
    return seen.status, seen.provider_status


@pytest.mark.parametrize(("kind", "word", "status"), WORDED)
def test_every_word_a_provider_has_means_what_its_table_says(kind: str, word: str, status: Status) -> None:
    assert seen_as(kind, status=word) == (status, word)


@pytest.mark.parametrize(("kind", "word", "status"), WORDED)
def test_case_and_surrounding_space_do_not_change_a_words_meaning(kind: str, word: str, status: Status) -> None:
    assert status_of(kind, status=f" {word.swapcase()}\n") is status


@pytest.mark.parametrize("word", STRANGE)
@pytest.mark.parametrize("kind", WORDS)
def test_a_word_that_no_table_names_is_unknown_and_kept_as_it_came(kind: str, word: str) -> None:
    assert seen_as(kind, status=word) == (UNKNOWN, word)


@pytest.mark.parametrize("nothing", [None, "", "null", "  ", True, [], {}])
@pytest.mark.parametrize("kind", WORDS)
def test_no_status_is_unknown_and_never_final(kind: str, nothing: Any) -> None:
    assert seen_as(kind, status=nothing) == (UNKNOWN, None)


@pytest.mark.parametrize("kind", KINDS)
def test_no_table_gives_a_word_the_meaning_unknown(kind: str) -> None:
    assert UNKNOWN not in provider(kind).statuses.values()


@pytest.mark.parametrize(("word", "status"), JOBS.items())
def test_a_videogen_job_means_what_its_table_says(word: str, status: Status) -> None:
    assert provider("videogen").status(word) is status


@pytest.mark.parametrize("word", STRANGE)
def test_a_videogen_job_with_a_new_word_is_unknown(word: str) -> None:
    assert provider("videogen").status(word) is UNKNOWN


# VideoGen: a file has no status, its sources have.

SHORT: Final = {
    "download": "downloadSource",
    "preview": "previewSource",
    "hls": "hlsSource",
    "public": "staticPublicPreviewSource",
    "thumbnail": "thumbnailSource",
}


def sources(**states: str | None) -> Mapping[str, Any]:
    return {SHORT[name]: None if state is None else {"status": state} for name, state in states.items()}


def derived(states: Mapping[str, str | None], **options: str) -> tuple[Status, bool]:
    """Return a listed file's status, and whether it is conclusive."""
    file = {"fileId": "vg_file_1", "type": "VIDEO", **sources(**states)}
    [seen] = read_body("videogen", {"files": [file]}, **options).sightings
    return seen.status, seen.conclusive


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ({"download": "ready"}, COMPLETED),
        ({"download": " READY "}, COMPLETED),
        ({"download": "ready", "hls": "failed", "thumbnail": "failed"}, COMPLETED),
        ({"download": "ready", "preview": "pending", "hls": "pending"}, COMPLETED),
        ({"download": "failed", "preview": "ready"}, COMPLETED),
        ({"download": "skipped", "hls": "ready"}, COMPLETED),
        ({"download": None, "public": "ready"}, COMPLETED),
        ({"download": "failed"}, FAILED),
        ({"download": "failed", "preview": "failed", "hls": "failed", "thumbnail": "failed"}, FAILED),
        ({"download": "failed", "preview": "skipped", "hls": "skipped", "thumbnail": "pending"}, FAILED),
        ({"download": "failed", "preview": "failed", "thumbnail": "ready"}, FAILED),
    ],
)
def test_a_listed_videogen_file_whose_sources_decide_is_final(states: Mapping[str, str | None], status: Status) -> None:
    assert derived(states) == (status, True)


@pytest.mark.parametrize(
    "states",
    [
        {},
        {"download": None},
        {"download": "pending"},
        {"download": "pending", "preview": "pending", "hls": "pending", "thumbnail": "pending"},
        {"download": "skipped", "preview": "skipped", "hls": "skipped", "thumbnail": "skipped"},
        {"download": "transcoding"},
        {"download": "pending", "thumbnail": "ready"},
        {"download": "pending", "thumbnail": "failed"},
        {"thumbnail": "failed"},
        {"download": "pending", "preview": "ready"},
        {"download": "transcoding", "preview": "ready"},
        {"download": "pending", "preview": "ready", "hls": "failed"},
    ],
)
def test_a_listed_videogen_file_that_may_only_lack_hydration_decides_nothing(
    states: Mapping[str, str | None],
) -> None:
    assert derived(states) == (GENERATING, False)


@pytest.mark.parametrize(
    "states",
    [
        {"download": "pending", "hls": "failed", "preview": "failed"},
        {"download": "pending", "preview": "failed", "hls": "failed", "public": "failed", "thumbnail": "failed"},
        {"download": "skipped", "hls": "failed", "preview": "failed"},
        {"download": "transcoding", "hls": "failed"},
        {"download": None, "preview": "failed"},
        {"download": "failed", "preview": "pending"},
        {"download": "failed", "hls": "transcoding"},
    ],
)
def test_a_listed_videogen_file_of_which_something_failed_is_asked_for_before_it_is_believed(
    states: Mapping[str, str | None],
) -> None:
    assert derived(states) == (FAILED, False)


@pytest.mark.parametrize("other", ["preview", "hls", "public"])
def test_any_ready_rendition_completes_a_videogen_file_where_the_account_says_so(other: str) -> None:
    assert derived({"download": "pending", other: "ready"}, usable_when="any") == (COMPLETED, True)
    assert derived({"download": "pending", other: "ready"}, usable_when="Download") == (GENERATING, False)


def test_a_thumbnail_alone_never_completes_a_videogen_file() -> None:
    assert derived({"download": "pending", "thumbnail": "ready"}, usable_when="any") == (GENERATING, False)


# PixVerse: a number, a name, and a flag that is not to be trusted.

NUMBERS: Final[Mapping[int, Status]] = {
    1: COMPLETED,
    2: QUEUED,
    3: GENERATING,
    5: QUEUED,
    6: DELETED,
    7: FAILED,
    8: FAILED,
    9: GENERATING,
    10: GENERATING,
}
NAMES: Final[Mapping[str, Status]] = {
    "QUEUED": QUEUED,
    "GENERATING": GENERATING,
    "COMPLETED": COMPLETED,
    "FAILED": FAILED,
    "MODERATED": FAILED,
}


@pytest.mark.parametrize("final", [True, False, None])
@pytest.mark.parametrize(("code", "status"), NUMBERS.items())
def test_a_pixverse_number_decides_whatever_the_flag_says(code: int, status: Status, final: object) -> None:
    assert status_of("pixverse", video_status=code, video_status_final=final) is status
    assert status_of("pixverse", video_status=str(code), video_status_final=final) is status


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("code", "status"), NUMBERS.items())
def test_a_known_pixverse_number_decides_against_any_name(code: int, status: Status, name: str) -> None:
    seen = seen_as("pixverse", video_status=code, video_status_name=name, video_status_final=True)
    assert seen == (status, name)


@pytest.mark.parametrize("code", [None, 0, 4, 17, "", "x", 1.5, True])
@pytest.mark.parametrize(("name", "status"), NAMES.items())
def test_a_pixverse_name_stands_in_for_a_number_nobody_knows(code: object, name: str, status: Status) -> None:
    fields = {"video_status": code, "video_status_final": True}
    assert status_of("pixverse", video_status_name=name, **fields) is status
    assert status_of("pixverse", video_status_name=f" {name.lower()} ", **fields) is status


@pytest.mark.parametrize("flag", [False, None, "true", 1])
@pytest.mark.parametrize("name", ["COMPLETED", "FAILED", "MODERATED"])
def test_a_final_pixverse_name_alone_is_believed_only_with_the_flag(name: str, flag: object) -> None:
    assert status_of("pixverse", video_status=17, video_status_name=name, video_status_final=flag) is UNKNOWN


@pytest.mark.parametrize("name", ["QUEUED", "GENERATING"])
def test_a_pixverse_name_that_is_not_final_needs_no_flag(name: str) -> None:
    assert status_of("pixverse", video_status=17, video_status_name=name) is NAMES[name]


@pytest.mark.parametrize("name", [None, "", "DONE", "EXPIRED"])
def test_the_pixverse_flag_alone_finishes_nothing(name: object) -> None:
    assert status_of("pixverse", video_status=17, video_status_name=name, video_status_final=True) is UNKNOWN


def test_a_pixverse_video_without_a_name_keeps_its_number_as_the_providers_word() -> None:
    assert seen_as("pixverse", video_status=6) == (DELETED, "6")
