"""What a dashboard may have to show: a day in a studio, a bad day, nothing, very much, and what nobody should call a video."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from renderbell.deliveries import DeliveryStatus
from renderbell.events import VideoRecord
from renderbell.video import AccountName, Status
from renderbell.view import AccountLine, EndpointLine, View, Waiting
from tests.records import record

NOW: Final = datetime(2026, 11, 25, 14, 32, 10, tzinfo=UTC)
FUNCTION: Final = "arn:aws:lambda:eu-central-1:123456789012:function:renderbell-WidgetFunction"
PICTURES: Final = "https://pictures.example/"
USUAL: Final = {"heygen": 540.0, "tavus": 410.0, "pixverse": 96.0, "videogen": 270.0, "memories": 840.0}
HOSTILE: Final = (
    "<script>document.title='ran'</script>",
    '"><img src=x onerror="document.title=\'ran\'">',
    "'><svg onload=document.title='ran'>",
    "</div></div></style><style>*{display:none}</style>",
    "<cwdb-action action=call>{}</cwdb-action>",
    "\u202egnp.exe\u202c \u2066isolated",
    "שלום עולם — סרטון חדש עם כותרת ארוכה מאוד שלא נגמרת אף פעם ונמשכת עוד ועוד",
    "إطلاق المنتج الجديد في الرياض مع فريق التسويق الكامل والضيوف الكرام من كل مكان",
    "🎬🚀👩‍👩‍👧‍👦🏳️‍🌈 Launch 🎉",
    "x" * 5000,
    "W\u0335\u0321\u0322a\u0336\u0327l\u0337\u0328g\u0335o\u0336" * 20,
    "&lt;b&gt; already escaped &amp; co",
    "line\none\ttwo\x00three",
    "",
)
"""Titles, errors and ids as a stranger may choose them. What would run, or be seen to, says `ran`."""


def video(account: str, title: str | None, status: Status, ago: float, took: float | None = None, **more: Any) -> VideoRecord:
    """Return a video that began, or when it took some time ended, so many seconds ago."""
    end = NOW - timedelta(seconds=ago) if took is not None else None
    began = end - timedelta(seconds=took or 0) if end else NOW - timedelta(seconds=ago)
    made = record(
        f"id-{title}"[:60],
        status,
        account=AccountName.parse(account),
        previous_status=Status.GENERATING,
        provider_status=status.value,
        title=title,
        url="https://files.example/video.mp4" if status is Status.COMPLETED else None,
        duration_seconds=42.0,
        created_at=began,
        first_seen_at=began,
        changed_at=end or began,
        finished_at=end,
    )
    return replace(made, **more)


def flying() -> Sequence[VideoRecord]:
    return [
        video("heygen/marketing", "Spring launch, keynote opener", Status.GENERATING, 455, thumbnail_url=PICTURES + "dawn"),
        video("tavus/sales", "Hello Ana, about your trial", Status.GENERATING, 205, thumbnail_url=PICTURES + "lake"),
        video("pixverse/main", "Paper boat in the rain", Status.GENERATING, 118, thumbnail_url=PICTURES + "rain"),
        video("memories/archive", "Customer interviews, reel 4", Status.GENERATING, 150),
        video("videogen/default", "Explainer: how refunds work", Status.QUEUED, 12),
        video("heygen/support", "Welcome to Köln 🎬", Status.QUEUED, 40, thumbnail_url=PICTURES + "city"),
    ]


def ended() -> Sequence[VideoRecord]:
    return [
        video("tavus/sales", "Hello Jonas, a quick idea", Status.COMPLETED, 130, 388, thumbnail_url=PICTURES + "lake"),
        video("heygen/marketing", "Product tour, chapter 3", Status.COMPLETED, 640, 552, thumbnail_url=PICTURES + "dusk"),
        video(
            "pixverse/main",
            "Dragon over the harbour",
            Status.FAILED,
            1560,
            71,
            error="The prompt did not pass the content check",
        ),
        video("videogen/default", "Explainer: delivery times", Status.COMPLETED, 2460, 244, thumbnail_url=PICTURES + "desert"),
        video("heygen/support", "Reset your password", Status.COMPLETED, 5400, 601, thumbnail_url=PICTURES + "city"),
        video("memories/archive", "Customer interviews, reel 3", Status.COMPLETED, 9000, 815, url=None),
        video("pixverse/main", "Paper boat, first draft", Status.DELETED, 14_300, 90),
    ]


def account(name: str, words: str = "ok", *, well: bool | None = True, ago: float = 40) -> AccountLine:
    polled = NOW - timedelta(seconds=ago) if well is not None else None
    return AccountLine(name=AccountName.parse(name), words=words, well=well, polled_at=polled)


def accounts() -> Sequence[AccountLine]:
    return [
        account("heygen/marketing"),
        account("heygen/support"),
        account("memories/archive", ago=95),
        account("pixverse/main"),
        account("tavus/sales"),
        account("videogen/default"),
    ]


def waiting(title: str | None, status: DeliveryStatus = DeliveryStatus.PENDING, **more: Any) -> Waiting:
    made = Waiting(
        endpoint_id="ep_5f0c2a9d41e7b836",
        event_id="evt_7e0f3c1b2a4d5968a7b6c5d4e3f20199",
        event_type="video.completed",
        title=title,
        status=status,
        reason="answered 503",
        attempts=5,
        next_attempt_at=NOW + timedelta(minutes=28),
        can_retry=True,
    )
    return replace(made, **more)


def endpoint(word: str, *rows: Waiting, **more: Any) -> EndpointLine:
    made = EndpointLine(
        endpoint_id="ep_5f0c2a9d41e7b836",
        url="https://hooks.studio.example/renderbell?token=secret",
        word=word,
        words="answered 503",
        since=NOW - timedelta(minutes=47),
        waiting=rows,
    )
    return replace(made, **more)


def endpoints() -> Sequence[EndpointLine]:
    return [
        endpoint(
            "failing",
            waiting("Hello Jonas, a quick idea"),
            waiting(
                "Dragon over the harbour",
                event_type="video.failed",
                attempts=1,
                next_attempt_at=NOW + timedelta(seconds=21),
                can_retry=False,
            ),
        ),
    ]


STUDIO: Final = View(now=NOW, flying=flying(), usual=USUAL, ended=ended(), accounts=accounts(), endpoints=endpoints())
BAD_DAY: Final = replace(
    STUDIO,
    flying=[
        video("heygen/marketing", "Never ends", Status.GENERATING, 90_000, stalled_at=NOW),
        video("tavus/sales", "Takes its time", Status.GENERATING, 900),
        video("pixverse/main", "Just about", Status.GENERATING, 100),
        video("newcomer/main", "A word that nobody knows", Status.UNKNOWN, 60),
    ],
    ended=[video("pixverse/main", f"Try {n}", Status.FAILED, 60 * n, 70, error="out of credits " * n) for n in range(1, 9)],
    accounts=[
        account("heygen/legacy", "the key is refused: HTTP 401, invalid api key", well=False, ago=700),
        account("tavus/sales", "asked too often: HTTP 429 (left alone for 42 s)", well=False),
        account("videogen/new", "not looked at yet", well=None),
        *accounts()[:2],
    ],
    endpoints=[
        *endpoints(),
        endpoint(
            "disabled",
            waiting("Held since Monday", DeliveryStatus.HELD),
            words="failed for three days: no whole answer within 15 s; tried again now and then",
            more=True,
        ),
        endpoint("paused", waiting(None, DeliveryStatus.HELD, can_retry=False), words="its events are held"),
        endpoint("failing", waiting("Given up", DeliveryStatus.EXHAUSTED, next_attempt_at=None)),
        endpoint("failing", words="cannot be reached: the name has no address"),
    ],
)
NOTHING: Final = View(now=NOW)
CALM: Final = View(now=NOW, accounts=accounts())
CROWD: Final = replace(
    STUDIO,
    flying=[video("heygen/marketing", f"Batch clip {n} of 500", Status.GENERATING, n) for n in range(500)],
    ended=[video("tavus/sales", f"Clip {n}", Status.COMPLETED, 10 * n, 300) for n in range(500)],
    accounts=[account(f"tavus/customer-{n}") for n in range(500)],
    endpoints=[endpoint("failing", *(waiting(f"Delivery {n}") for n in range(50))) for _ in range(40)],
)
STRANGERS: Final = replace(
    STUDIO,
    flying=[
        video("heygen/marketing", text, Status.GENERATING, 30, video_id=f"{text[:900]}:me@team.example", thumbnail_url=text)
        for text in HOSTILE
    ],
    ended=[
        video(
            "pixverse/main",
            text,
            Status.FAILED,
            30,
            9,
            error=text,
            url=f"javascript:{text}",
            thumbnail_url=f"javascript:{text}",
        )
        for text in HOSTILE
    ],
    accounts=[account("tavus/main", text, well=False) for text in HOSTILE],
    endpoints=[
        endpoint(
            "failing",
            waiting(text, reason=text, event_type=text, endpoint_id=text, event_id=text),
            words=text,
            url=f"https://host.example/{text}",
            endpoint_id=text,
        )
        for text in HOSTILE
    ],
)
LOOKS: Final = {
    "studio": STUDIO,
    "bad day": BAD_DAY,
    "nothing": NOTHING,
    "calm": CALM,
    "crowd": CROWD,
    "strangers": STRANGERS,
}
