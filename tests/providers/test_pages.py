"""The normal form of every saved listing, and of the values in all the shapes that providers send them in."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.errors import BadResponseError
from renderbell.providers import Page
from renderbell.transitions import FirstLook, transition
from renderbell.values import integer, moment, number, retry_after_seconds, text
from renderbell.video import Sighting, Status
from tests.providers.fakes import KINDS, PAGES, always, provider, read_body, read_listing, saved
from tests.providers.listings import ROWS

MUX: Final = "H5H029h02tY7XDpNj8JFDbLleTyUpsJr5npddO8gRsiqY"
PIXVERSE: Final = "user:12345-pixverse:someone@example.com-video:"


def at(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)  # type: ignore[misc,arg-type]


LATER: Final = at(2026, 11, 24)
LISTS: Final[Mapping[str, Page]] = {
    "tavus-list-documented": Page(
        ids=["783537ef5"],
        next="1",
        total=123,
        sightings=[
            Sighting(
                video_id="783537ef5",
                status=Status.GENERATING,
                provider_status="generating",
                title="My First Video",
            )
        ],
    ),
    "tavus-list-newer": Page(
        ids=["1e30440cf9", "2f41551dea", "3a5266befb", "4b6377cf0c", "5c7488d01d", "6d8599e12e"],
        next="1",
        total=6,
        sightings=[
            Sighting(
                video_id="1e30440cf9",
                status=Status.COMPLETED,
                provider_status="ready",
                title="Promo 7",
                url=f"https://stream.mux.com/{MUX}/high.mp4?download=1e30440cf9",
                thumbnail_url=f"https://image.mux.com/{MUX}/thumbnail.png",
                created_at=at(2026, 11, 20, 10, 11, 12, 123456),
            ),
            Sighting(
                video_id="2f41551dea",
                status=Status.QUEUED,
                provider_status="queued",
                created_at=at(2025, 7, 14, 9, 14, 24),
            ),
            Sighting(
                video_id="3a5266befb",
                status=Status.FAILED,
                provider_status="error",
                title="Promo 9",
                error="There was an issue processing your video.",
                created_at=at(2026, 11, 20, 10, 11, 12, 500000),
            ),
            Sighting(
                video_id="4b6377cf0c",
                status=Status.FAILED,
                provider_status="error",
                title="Promo 10",
                error="The script is longer than the replica may speak.",
            ),
            Sighting(
                video_id="5c7488d01d",
                status=Status.DELETED,
                provider_status="deleted",
                title="Promo 11",
            ),
            Sighting(video_id="6d8599e12e", status=Status.UNKNOWN),
        ],
    ),
    "tavus-list-last": Page(ids=[], next=None, total=6, sightings=[]),
    "heygen-list-newer": Page(
        ids=["v_abc123def456", "v_abc123def457", "v_abc123def458", "v_abc123def459", "v_abc123def460"],
        next="eyJsYXN0IjoidjQ2MCJ9",
        sightings=[
            Sighting(
                video_id="v_abc123def456",
                status=Status.FAILED,
                provider_status="failed",
                title="Q4 promo",
                error="Script rejected",
                created_at=at(2025, 11, 22, 8, 26, 40),
            ),
            Sighting(
                video_id="v_abc123def457",
                status=Status.FAILED,
                provider_status="failed",
                error="moderation_failed",
            ),
            Sighting(
                video_id="v_abc123def458",
                status=Status.COMPLETED,
                provider_status="completed",
                title="Q4 promo (Deutsch)",
                url="https://files.heygen.ai/v_abc123def458.mp4?Expires=1764405300",
                thumbnail_url="https://files.heygen.ai/v_abc123def458.gif",
                duration_seconds=12.75,
                created_at=at(2025, 11, 22, 8, 28, 20),
            ),
            Sighting(video_id="v_abc123def459", status=Status.GENERATING, provider_status="processing"),
            Sighting(video_id="v_abc123def460", status=Status.QUEUED, provider_status="pending"),
        ],
    ),
    "heygen-list-last": Page(
        ids=["v1"],
        next=None,
        sightings=[Sighting(video_id="v1", status=Status.COMPLETED, provider_status="completed", title="Demo")],
    ),
    "heygen-v1-list-documented": Page(
        ids=["852adc6r4h584f409112337c1677a90a", "6a7647a385fc40f6a84db29ac4131n46"],
        next=saved("heygen-v1-list-documented")["data"]["token"],
        total=35,
        sightings=[
            Sighting(
                video_id="852adc6r4h584f409112337c1677a90a",
                status=Status.COMPLETED,
                provider_status="completed",
                title="My Title",
                created_at=at(2025, 10, 4, 6, 47, 47),
            ),
            Sighting(
                video_id="6a7647a385fc40f6a84db29ac4131n46",
                status=Status.COMPLETED,
                provider_status="completed",
                title="My Title",
                created_at=at(2025, 10, 6, 7, 13, 44),
            ),
        ],
    ),
    "heygen-v1-list-last": Page(
        ids=["0b1c2d3e4f5061728394a5b6c7d8e9f0", "1c2d3e4f5061728394a5b6c7d8e9f001"],
        next=None,
        total=37,
        sightings=[
            Sighting(
                video_id="0b1c2d3e4f5061728394a5b6c7d8e9f0",
                status=Status.QUEUED,
                provider_status="waiting",
                created_at=at(2025, 10, 6, 7, 15),
            ),
            Sighting(
                video_id="1c2d3e4f5061728394a5b6c7d8e9f001",
                status=Status.COMPLETED,
                provider_status="completed",
                title="With address",
                url="https://files2.heygen.ai/aws_pacific/1c2d.mp4?Expires=1",
                thumbnail_url="https://files2.heygen.ai/aws_pacific/1c2d.jpg",
                duration_seconds=12.5,
                created_at=at(2025, 10, 6, 7, 15, 1),
            ),
        ],
    ),
    "heygen-v1-list-empty-with-token": Page(ids=[], next=None, total=35, sightings=[]),
    "memories-list-documented": Page(
        ids=["VI606404158946574336", "VI606402870447996928", "VI606401846039576576"],
        next="2",
        total=3,
        sightings=[
            Sighting(
                video_id="VI606404158946574336",
                status=Status.COMPLETED,
                provider_status="PARSE",
                title="182082-867762198_tiny",
                duration_seconds=12,
                created_at=at(2025, 8, 1, 8, 33, 37, 992000),
            ),
            Sighting(
                video_id="VI606402870447996928",
                status=Status.COMPLETED,
                provider_status="PARSE",
                title="test_video_gz_visual_understanding_s36_gun_6_special_gun_6",
                duration_seconds=61,
                created_at=at(2025, 8, 1, 8, 28, 30, 783000),
            ),
            Sighting(
                video_id="VI606401846039576576",
                status=Status.COMPLETED,
                provider_status="PARSE",
                title="ssstik.io_@evarose.cosplay_1747479033469",
                duration_seconds=44,
                created_at=at(2025, 8, 1, 8, 24, 26, 561000),
            ),
        ],
    ),
    "memories-list-newer": Page(
        ids=["VI606404158946574337", "VI606404158946574338", "VI606404158946574339"],
        next="2",
        total=4,
        sightings=[
            Sighting(
                video_id="VI606404158946574337",
                status=Status.GENERATING,
                provider_status="UNPARSE",
                title="clip",
                duration_seconds=12,
                created_at=at(2025, 8, 1, 8, 33, 37, 992000),
            ),
            Sighting(
                video_id="VI606404158946574338",
                status=Status.FAILED,
                provider_status="FAILED",
                error="Unsupported codec",
                duration_seconds=0,
                created_at=at(2025, 8, 1, 8, 33, 37),
            ),
            Sighting(
                video_id="VI606404158946574339",
                status=Status.COMPLETED,
                provider_status="PARSE",
                title="done",
                url="https://cdn.memories.ai/done.mp4",
                duration_seconds=33,
                created_at=at(2025, 8, 1, 8, 33, 36),
            ),
        ],
    ),
    "memories-list-last": Page(ids=[], next=None, total=4, sightings=[]),
    "videogen-list-documented": Page(ids=["string"], next=None, sightings=[]),
    "videogen-list-newer": Page(
        ids=["vg_file_01", "vg_file_02", "vg_file_03", "vg_file_04", "vg_file_05"],
        next="eyJ1IjoxfQ",
        sightings=[
            Sighting(
                video_id="vg_file_01",
                status=Status.GENERATING,
                provider_status="pending",
                title="Intro",
                thumbnail_url="https://cdn.videogen.io/01.jpg",
                duration_seconds=12.4,
                conclusive=False,
            ),
            Sighting(
                video_id="vg_file_02",
                status=Status.COMPLETED,
                provider_status="ready",
                title="Export",
                url="https://cdn.videogen.io/02.mp4",
                url_expires_at=at(2025, 11, 29, 7, 6, 40),
                thumbnail_url="https://cdn.videogen.io/02.jpg",
                duration_seconds=60,
            ),
            Sighting(
                video_id="vg_file_03",
                status=Status.COMPLETED,
                provider_status="ready",
                url="https://cdn.videogen.io/03-top.mp4",
                url_expires_at=at(2025, 11, 29, 7, 6, 41),
            ),
        ],
    ),
    "videogen-list-last": Page(ids=[], next=None, sightings=[]),
    "pixverse-list-documented": Page(
        ids=[f"{PIXVERSE}11223344", f"{PIXVERSE}112233445566"],
        next="40",
        total=55,
        sightings=[
            Sighting(
                video_id=f"{PIXVERSE}11223344",
                status=Status.GENERATING,
                provider_status="GENERATING",
                title="<prompt>",
                thumbnail_url="https://media.pixverse.ai/11223344.webp",
                duration_seconds=5,
                created_at=at(2024, 11, 11, 12, 34, 56),
            ),
            Sighting(
                video_id=f"{PIXVERSE}112233445566",
                status=Status.COMPLETED,
                provider_status="COMPLETED",
                title="<prompt>",
                url="https://media.pixverse.ai/112233445566.mp4",
                thumbnail_url="https://media.pixverse.ai/112233445566.webp",
                duration_seconds=5,
                created_at=at(2024, 11, 11, 12, 34, 56),
            ),
        ],
    ),
    "pixverse-list-last": Page(
        ids=[f"{PIXVERSE}1", f"{PIXVERSE}2"],
        next=None,
        total=2,
        sightings=[
            Sighting(
                video_id=f"{PIXVERSE}1",
                status=Status.QUEUED,
                provider_status="QUEUED",
                thumbnail_url="https://media.pixverse.ai/1.jpg",
                duration_seconds=8,
                created_at=at(2025, 7, 8, 1, 2, 3),
            ),
            Sighting(
                video_id=f"{PIXVERSE}2",
                status=Status.FAILED,
                provider_status="MODERATED",
                title="a cat",
            ),
        ],
    ),
}
"""What every saved listing says in our words."""

TITLES: Final = {
    "tavus": "video_name",
    "heygen": "title",
    "heygen-v1": "video_title",
    "memories": "video_name",
    "videogen": "displayName",
    "pixverse": "prompt",
}
CREATED: Final = {
    "tavus": "created_at",
    "heygen": "created_at",
    "heygen-v1": "created_at",
    "memories": "create_time",
    "pixverse": "created_at",
}
TOTALS: Final = {"tavus": "total_count", "heygen-v1": "total", "memories": "total_count", "pixverse": "total"}
IDS: Final = {
    "tavus": "video_id",
    "heygen": "id",
    "heygen-v1": "video_id",
    "memories": "video_no",
    "videogen": "fileId",
    "pixverse": "video_id",
}


def listing(kind: str, *rows: Mapping[str, Any], **beside: Any) -> Any:
    """Return the body of a listing with these rows, and with `beside` next to them."""
    lists = {
        "heygen": {"data": list(rows), "has_more": False, **beside},
        "heygen-v1": {"code": 100, "data": {"videos": list(rows), **beside}},
        "memories": {"code": "0000", "data": {"videos": list(rows), **beside}},
        "videogen": {"files": list(rows), "hasMore": False, **beside},
    }
    return lists.get(kind, {"data": list(rows), **beside})


def sighting(kind: str, **fields: Any) -> Sighting:
    [seen] = read_body(kind, listing(kind, {**ROWS[kind]("v1"), **fields})).sightings
    return seen


@pytest.mark.parametrize("page", LISTS)
def test_a_saved_listing_reads_as_its_normal_form(page: str) -> None:
    assert read_listing(page) == LISTS[page]


def test_every_saved_listing_has_a_normal_form_here() -> None:
    assert {path.stem for path in PAGES.glob("*-list-*.json")} == LISTS.keys()


@pytest.mark.parametrize("nothing", [None, "", "null", " ", False, {}, []])
@pytest.mark.parametrize("kind", TITLES)
def test_what_means_nothing_reads_as_absent(kind: str, nothing: Any) -> None:
    assert sighting(kind, **{TITLES[kind]: nothing}).title is None


@pytest.mark.parametrize("kind", TITLES)
def test_half_an_emoji_in_a_title_becomes_a_character_that_every_table_takes(kind: str) -> None:
    assert sighting(kind, **{TITLES[kind]: "A cat \ud83d"}).title == "A cat ?"


@pytest.mark.parametrize("kind", TOTALS)
@pytest.mark.parametrize(("total", "read"), [(7, 7), ("7", 7), (0, 0), (None, None), ("many", None), (7.5, None)])
def test_a_total_is_read_from_a_number_or_its_text(kind: str, total: Any, read: int | None) -> None:
    page = read_body(kind, listing(kind, ROWS[kind]("v1"), **{TOTALS[kind]: total}))
    assert page.total == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1764400000, at(2025, 11, 29, 7, 6, 40)),
        ("1764400000", at(2025, 11, 29, 7, 6, 40)),
        (1764400000.25, at(2025, 11, 29, 7, 6, 40, 250000)),
        (1764400000123, at(2025, 11, 29, 7, 6, 40, 123000)),
        ("1764400000123", at(2025, 11, 29, 7, 6, 40, 123000)),
        ("2025-11-29T07:06:40Z", at(2025, 11, 29, 7, 6, 40)),
        ("2025-11-29T08:06:40+01:00", at(2025, 11, 29, 7, 6, 40)),
        ("2025-11-29 07:06:40.824457", at(2025, 11, 29, 7, 6, 40, 824457)),
        ("2025-11-29", at(2025, 11, 29)),
        ("Sat, 29 Nov 2025 07:06:40 GMT", at(2025, 11, 29, 7, 6, 40)),
        ("Sat, 29 Nov 2025 08:06:40 +0100", at(2025, 11, 29, 7, 6, 40)),
        (None, None),
        ("", None),
        ("null", None),
        ("yesterday", None),
        ("2025-13-45", None),
        ("0001-01-01T00:00:00+14:00", None),
        (10**30, None),
        (float("inf"), None),
        (True, None),
        ({"seconds": 1}, None),
    ],
)
def test_a_time_is_read_in_every_form_in_use(value: Any, read: datetime | None) -> None:
    assert moment(value) == read


@pytest.mark.parametrize("value", ["2025-11-29 07:06:40", "Sat, 29 Nov 2025 07:06:40 -0000"])
def test_a_time_without_a_zone_is_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moment(value) == at(2025, 11, 29, 7, 6, 40)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("kind", CREATED)
@pytest.mark.parametrize("value", [1764400000, "1764400000", 1764400000000, "2025-11-29T07:06:40Z"])
def test_every_provider_reads_its_creation_time_in_any_form(kind: str, value: Any) -> None:
    assert sighting(kind, **{CREATED[kind]: value}).created_at == at(2025, 11, 29, 7, 6, 40)


@pytest.mark.parametrize("kind", CREATED)
@pytest.mark.parametrize("value", ["soon", 0, "0", "0001-01-01T00:00:00Z", "1970-01-01 00:00:00", -62135596800])
def test_a_strange_creation_time_does_not_cost_us_the_video(kind: str, value: Any) -> None:
    assert sighting(kind, **{CREATED[kind]: value}) == sighting(kind)
    change = transition(None, sighting(kind, **{CREATED[kind]: value}), at=LATER, first_look=FirstLook(began=LATER, over=True))
    assert change is not None
    assert change.rings, "it came after the first look"


def test_a_heygen_v1_detail_without_a_real_creation_time_has_none() -> None:
    body = {"code": 100, "data": {"id": "v1", "status": "completed", "created_at": 0}}
    server = always(body=body)
    assert provider("heygen-v1").look_up(server.client, ["v1"])["v1"].created_at is None


def test_a_url_that_ended_long_ago_keeps_its_time() -> None:
    source = {"status": "ready", "url": "https://x.example/v.mp4", "expiresAt": 1400000000}
    assert sighting("videogen", downloadSource=source).url_expires_at == at(2014, 5, 13, 16, 53, 20)


@pytest.mark.parametrize(
    "value", ["inf", "-Infinity", "nan", float("inf"), float("nan"), "1e999", 10**400, True, "", "x", None, []]
)
def test_what_is_no_finite_number_is_absent(value: Any) -> None:
    assert number(value) is None


@pytest.mark.parametrize("kind", ["heygen", "heygen-v1", "memories", "pixverse"])
def test_a_duration_is_read_from_a_number_or_its_text(kind: str) -> None:
    durations = [sighting(kind, duration=value).duration_seconds for value in (12.5, "12.5", "null", None, "NaN")]
    assert durations == [12.5, 12.5, None, None, None]


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()))
def test_a_value_of_any_kind_is_read_or_absent_and_never_an_exception(value: Any) -> None:
    read = moment(value)
    assert read is None or read.utcoffset() == timedelta(0)
    assert number(value) is None or isinstance(number(value), float)
    assert integer(value) is None or integer(value) == number(value)
    assert text(value) is None or (text(value) or "").encode()


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_a_time_with_a_zone_keeps_its_moment(local: datetime, hours: int) -> None:
    aware = local.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert moment(aware.isoformat()) == aware
    assert moment(local.isoformat()) == local.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("-5", 0),
        ("1.5", 1.5),
        ("Tue, 24 Nov 2026 10:17:00 GMT", 120),
        ("Tue, 24 Nov 2026 10:00:00 GMT", 0),
        (None, None),
        ("", None),
        ("later", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, at(2026, 11, 24, 10, 15)) == seconds


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_for_an_id_is_the_same_id_as_text(kind: str) -> None:
    row = {**ROWS[kind]("v1"), IDS[kind]: 606404158946574336}
    assert read_body(kind, listing(kind, row)).ids == ["606404158946574336"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_is_kept_unchanged(kind: str) -> None:
    assert read_body(kind, listing(kind, ROWS[kind](" null/ä "))).ids == [" null/ä "]


@pytest.mark.parametrize("bad", [None, "", True, {}, ["v1"], 1.5])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_an_id_spoils_its_page(kind: str, bad: Any) -> None:
    row = {**ROWS[kind]("v1"), IDS[kind]: bad}
    with pytest.raises(BadResponseError, match=f"no {IDS[kind]}"):
        read_body(kind, listing(kind, ROWS[kind]("v0"), row))


@pytest.mark.parametrize("bad", ["row", None, 1, ["v1"]])
@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_holds_anything_but_rows_is_no_listing(kind: str, bad: Any) -> None:
    with pytest.raises(BadResponseError, match="no list of videos"):
        read_body(kind, listing(kind, bad))


@pytest.mark.parametrize(
    ("kind", "still", "filled"),
    [
        ("tavus", {"status": "generating"}, {"hosted_url": "https://x/1", "download_url": "https://x/2"}),
        ("tavus", {"status": "error"}, {"hosted_url": "https://x/1"}),
        ("heygen", {"status": "processing"}, {"video_url": "https://x/1"}),
        ("heygen-v1", {"status": "failed"}, {"video_url": "https://x/1"}),
        ("memories", {"status": "UNPARSE"}, {"video_url": "https://x/1"}),
        ("videogen", {"downloadSource": {"status": "pending", "url": "https://x/1"}}, {"downloadUrl": "https://x/2"}),
        ("pixverse", {"video_status": 10}, {"url": "https://x/1"}),
        ("pixverse", {"video_status": 8}, {"url": "https://x/1"}),
    ],
)
def test_a_url_says_nothing_before_a_video_is_completed(kind: str, still: Mapping[str, Any], filled: Mapping[str, Any]) -> None:
    assert sighting(kind, **still, **filled).url is None


def test_a_tavus_video_without_a_download_is_shown_on_its_page() -> None:
    assert sighting("tavus", download_url="", hosted_url="https://videos.tavus.io/v1").url == "https://videos.tavus.io/v1"


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("tavus", "still_image_thumbnail_url", "gif_thumbnail_url"),
        ("heygen", "thumbnail_url", "gif_url"),
        ("pixverse", "img_url", "first_frame"),
    ],
)
def test_another_picture_stands_in_for_a_missing_thumbnail(kind: str, first: str, second: str) -> None:
    assert sighting(kind, **{first: "https://x/1", second: "https://x/2"}).thumbnail_url == "https://x/1"
    assert sighting(kind, **{first: "", second: "https://x/2"}).thumbnail_url == "https://x/2"


@pytest.mark.parametrize("shape", [{}, [], [1], {"status": []}, "x", 3.5, -1, True, 10**400])
@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_an_unexpected_shape_costs_no_other_video(kind: str, shape: Any) -> None:
    row = ROWS[kind]("v1")
    pages = [saved(path.stem) for path in PAGES.glob(f"{kind}-list-*.json")]
    fields = {name for page in pages for known in _rows(page) for name in known} - {IDS[kind], "type"}
    for name in fields:
        page = read_body(kind, listing(kind, {**row, name: shape}, ROWS[kind]("v2")))
        assert [seen.video_id for seen in page.sightings] == ["v1", "v2"]


def _rows(body: Any) -> list[Mapping[str, Any]]:
    data = body.get("data", body)
    rows = data if isinstance(data, list) else data.get("videos") or data.get("files")
    return list(rows or [])
