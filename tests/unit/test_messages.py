"""How an event reads: within the limits of each medium, whatever a title, an error or an address holds."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.events import (
    EVENT_TYPES,
    PROVIDER_NAMES,
    TRIAL,
    VideoRecord,
    event_of,
    stalled_event,
    trial_event,
)
from renderbell.messages import (
    MAX_MESSAGE,
    NO_LINK,
    discord,
    email_text,
    rendered,
    slack,
    sms_text,
    sns_message,
    spoken_duration,
    subject,
)
from renderbell.video import AccountName, Status
from tests.records import COMPLETED, NOON

VIDEO: Final = COMPLETED
FAILED: Final = replace(
    VIDEO,
    status=Status.FAILED,
    error="the script is too long",
    url=None,
    thumbnail_url=None,
    url_expires_at=None,
    duration_seconds=None,
)
DELETED: Final = replace(FAILED, status=Status.DELETED, error=None)
STUCK: Final = replace(FAILED, status=Status.GENERATING, error=None, finished_at=None, stalled_at=NOON + timedelta(days=1))
HOSTILE: Final = "<!channel> <@U1> @everyone <https://evil.example|Spring sale> [sale](https://evil.example) & *bold* `x`"

MARKS: Final = '<>&@#*_~`|[]()\\:!" x\n\x00\ufffe\uffff\u202e🎉'
AWKWARD: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=400) | st.text(MARKS, max_size=400)
# Long texts are a short one many times over: what matters is that they are long.
LONG: Final = st.builds(lambda part, times: part[:20] * times, AWKWARD, st.sampled_from([100, 3000]))
TEXTS: Final = AWKWARD | LONG
ADDRESSES: Final = st.none() | TEXTS | TEXTS.map("https://cdn.example/{}".format) | TEXTS.map("http://{}".format)
VIDEOS: Final = st.builds(
    replace,
    st.sampled_from([VIDEO, FAILED, DELETED]),
    account=st.builds(AccountName, st.sampled_from(sorted(PROVIDER_NAMES)), st.text("aZ0_.-", min_size=1, max_size=900)),
    video_id=AWKWARD,
    title=st.none() | TEXTS,
    error=st.none() | TEXTS,
    provider_status=st.none() | TEXTS,
    url=ADDRESSES,
    thumbnail_url=ADDRESSES,
    created_at=st.none() | st.just(NOON),
    previous_status=st.none() | st.just(Status.QUEUED),
    duration_seconds=st.none() | st.floats(0, 1e6),
)
BODIES: Final = VIDEOS.map(lambda video: event_of(video).body) | st.builds(
    lambda title: stalled_event(replace(STUCK, title=title)).body, st.none() | TEXTS
)
SAMPLES: Final[Mapping[str, str]] = {
    "video.completed": event_of(VIDEO).body,
    "video.failed": event_of(FAILED).body,
    "video.deleted": event_of(DELETED).body,
    "video.stalled": stalled_event(STUCK).body,
    TRIAL: trial_event("ep_1", NOON).body,
}


def body_of(video: VideoRecord) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event_of(video).body)
    return body


def units(text: str) -> int:
    """Return a text's length as JavaScript counts it: an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def texts_of(value: Any) -> Iterator[str]:
    """Return every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        yield from chain.from_iterable(map(texts_of, parts))


def test_the_samples_are_all_the_events_there_are() -> None:
    assert set(SAMPLES) == {*EVENT_TYPES, TRIAL}


# The subject and the SMS.


@given(body=BODIES)
def test_a_subject_is_within_the_rules_of_sns_whatever_the_title_holds(body: str) -> None:
    line = subject(json.loads(body))

    assert line.isascii()
    assert line.isprintable()
    assert 0 < len(line) < 100
    assert line[0].isalpha()
    assert line == line.strip()


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Spring sale", "Completed: Spring sale (HeyGen)"),
        (None, "Completed: untitled (HeyGen)"),
        ("   ", "Completed: untitled (HeyGen)"),
        ("  two\r\nlines\tand\x00more ", "Completed: two lines and more (HeyGen)"),
        ("Café 🎉 menu", "Completed: Cafe menu (HeyGen)"),
        ("Straße – “Łódź” ×2", 'Completed: Strasse - "Lodz" x2 (HeyGen)'),
        ("🎉🎉", "Completed: video v-1 (HeyGen)"),
        ("完成の動画 3", "Completed: video v-1 (HeyGen)"),
        ("!!!", "Completed: video v-1 (HeyGen)"),
        ("x" * 79, "Completed: " + "x" * 79 + " (HeyGen)"),
        ("x" * 80, "Completed: " + "x" * 76 + "... (HeyGen)"),
        ("x" * 300, "Completed: " + "x" * 76 + "... (HeyGen)"),
    ],
)
def test_a_subject_names_the_end_the_title_and_the_provider(title: str | None, line: str) -> None:
    assert subject(body_of(replace(VIDEO, title=title))) == line


def test_a_subject_that_falls_back_on_the_id_shows_no_address() -> None:
    video = replace(VIDEO, title="🎉", video_id="user:1-pixverse:someone@team.example-video:2")

    assert subject(body_of(video)) == "Completed: video user:1-pixverse:s***@***:2 (HeyGen)"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("video.completed", "Completed: Spring sale (HeyGen)"),
        ("video.failed", "Failed: Spring sale (HeyGen)"),
        ("video.deleted", "Deleted: Spring sale (HeyGen)"),
        ("video.stalled", "Stalled: Spring sale (HeyGen)"),
        (TRIAL, "Test: A test from Renderbell (Tavus)"),
    ],
)
def test_a_subject_begins_with_what_happened(kind: str, line: str) -> None:
    assert subject(json.loads(SAMPLES[kind])) == line


@given(body=BODIES)
def test_an_sms_is_one_line_of_ascii_that_fits_one_message(body: str) -> None:
    line = sms_text(json.loads(body))

    assert line.isascii()
    assert line.isprintable()
    assert 0 < len(line) <= 140


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("https://cdn.example/v-1.mp4", "Completed: Spring sale (HeyGen) https://cdn.example/v-1.mp4"),
        ("https://cdn.example/" + "x" * 120, "Completed: Spring sale (HeyGen)"),
        ("javascript:alert(1)", "Completed: Spring sale (HeyGen)"),
        (None, "Completed: Spring sale (HeyGen)"),
    ],
)
def test_an_sms_has_the_link_if_it_is_short(url: str | None, line: str) -> None:
    assert sms_text(body_of(replace(VIDEO, url=url))) == line


# The e-mail.


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (
            "video.completed",
            [
                "Your video is ready: Spring sale",
                "",
                "HeyGen made it in 3 min 20 s. It runs 1 min 2 s.",
                "",
                "Watch it:",
                "https://cdn.example/v-1.mp4?a=1&b=2",
                "The link works until 2026-12-01 12:00 UTC.",
                "",
                "Account marketing, video v-1",
                "Sent by Renderbell",
            ],
        ),
        (
            "video.failed",
            [
                "This video failed: Spring sale",
                "",
                "HeyGen gave up after 3 min 20 s: the script is too long",
                "",
                "Account marketing, video v-1",
                "Sent by Renderbell",
            ],
        ),
        (
            "video.deleted",
            [
                "This video was deleted: Spring sale",
                "",
                "It is no longer at HeyGen. Before that it was generating.",
                "",
                "Account marketing, video v-1",
                "Sent by Renderbell",
            ],
        ),
        (
            "video.stalled",
            [
                "This video is taking very long: Spring sale",
                "",
                "HeyGen has been at it for 24 h 3 min. Renderbell goes on watching and will tell you how it ends.",
                "",
                "Account marketing, video v-1",
                "Sent by Renderbell",
            ],
        ),
        (
            TRIAL,
            [
                "This is a test: A test from Renderbell",
                "",
                "Tavus made it in 3 min. It runs 42 s.",
                "",
                "Watch it:",
                "https://example.com/video.mp4",
                "",
                "Account example, video example",
                "Sent by Renderbell",
            ],
        ),
    ],
)
def test_an_email_tells_in_plain_words_what_happened(kind: str, lines: list[str]) -> None:
    assert email_text(json.loads(SAMPLES[kind])).split("\n") == lines


@pytest.mark.parametrize(
    ("video", "sentence"),
    [
        (replace(FAILED, error=None), "HeyGen gave up after 3 min 20 s and gave no reason."),
        (replace(FAILED, error="\x00 \n"), "HeyGen gave up after 3 min 20 s: the provider gave none"),
        (replace(FAILED, error="two\nlines"), "HeyGen gave up after 3 min 20 s: two lines"),
        (replace(FAILED, finished_at=None), "HeyGen gave up: the script is too long"),
        (replace(VIDEO, duration_seconds=None), "HeyGen made it in 3 min 20 s."),
        (replace(VIDEO, finished_at=None, duration_seconds=None), "HeyGen made it."),
        (replace(DELETED, previous_status=None), "It is no longer at HeyGen."),
    ],
)
def test_an_email_does_without_what_is_not_known(video: VideoRecord, sentence: str) -> None:
    assert email_text(body_of(video)).split("\n")[2] == sentence


def test_an_email_without_a_link_promises_none() -> None:
    text = email_text(body_of(replace(VIDEO, url=None)))

    assert "Watch it" not in text
    assert "works until" not in text


@given(body=BODIES)
def test_no_title_and_no_error_adds_a_line_to_an_email(body: str) -> None:
    known = json.loads(body)
    plain = {**known, "data": {**known["data"], "title": "Spring sale", "error": known["data"]["error"] and "too long"}}

    assert len(email_text(known).splitlines()) == len(email_text(plain).splitlines())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (42.4, "42 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3599.6, "1 h"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90000, "25 h"),
    ],
)
def test_a_duration_is_told_as_people_say_it(seconds: float, words: str) -> None:
    assert spoken_duration(seconds) == words


# SNS.


def published(body: str, text: str | None = None) -> dict[str, str]:
    """Return what SNS hands to each protocol, once it is sure to take it."""
    known = json.loads(body)
    message = sns_message(body, email_text(known) if text is None else text, sms_text(known))
    assert len(message.encode()) <= MAX_MESSAGE < 262_144
    protocols: dict[str, str] = json.loads(message)
    for value in protocols.values():
        assert re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", value), "SNS refuses other characters"
    return protocols


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_programs_get_the_event_as_it_is_and_people_get_words(kind: str) -> None:
    known = json.loads(SAMPLES[kind])

    assert published(SAMPLES[kind]) == {"default": SAMPLES[kind], "email": email_text(known), "sms": sms_text(known)}


@pytest.mark.parametrize("letter", ["\x00", "\x0b", "\x7f", "\ufffe", "\uffff"])
def test_a_character_that_sns_refuses_reaches_programs_escaped_and_people_not_at_all(letter: str) -> None:
    protocols = published(event_of(replace(VIDEO, title=f"Spring{letter}sale")).body)

    assert json.loads(protocols["default"])["data"]["title"] == f"Spring{letter}sale"
    assert protocols["email"].startswith("Your video is ready: Spring sale\n")


@given(body=BODIES)
def test_every_event_fits_a_message_and_keeps_all_its_fields(body: str) -> None:
    event, known = json.loads(published(body)["default"]), json.loads(body)

    assert event["data"].keys() == known["data"].keys()
    assert event.pop("trimmed", False) is (event != known)
    for name in ("provider", "account", "video_id", "status", "sequence", "seconds_in_flight"):
        assert event["data"][name] == known["data"][name]


@pytest.mark.parametrize("letter", ["x", "ü", "🎉", "\x00", '"', "\\"])
@pytest.mark.parametrize("name", ["title", "error", "provider_status"])
def test_a_long_text_is_cut_in_an_event_that_is_too_large(name: str, letter: str) -> None:
    known = body_of(FAILED)
    known["data"][name] = "begin " + letter * 300_000

    event = json.loads(published(json.dumps(known, ensure_ascii=False))["default"])

    assert event["trimmed"] is True
    assert event["data"][name].startswith("begin " + letter * 200)
    assert event["data"][name].endswith("…")


def test_an_event_with_every_text_too_long_still_fits_and_its_ids_are_whole() -> None:
    worst = "\x00" * 300_000
    account = AccountName("pixverse", "a" * 1000)
    video = replace(FAILED, account=account, video_id="ü" * 1000, title=worst, error=worst, provider_status=worst, url=worst)

    data = json.loads(published(event_of(video).body, worst + "x" * 300_000)["default"])["data"]

    assert (data["account"], data["video_id"]) == ("a" * 1000, "ü" * 1000)


def test_an_address_is_never_cut_but_left_out() -> None:
    known = event_of(replace(VIDEO, url="https://cdn.example/" + "x" * 300_000)).body

    event = json.loads(published(known)["default"])

    assert (event["trimmed"], event["data"]["url"]) == (True, None)
    assert event["data"]["thumbnail_url"] == VIDEO.thumbnail_url


@pytest.mark.parametrize("gap", [" ", "\n"])
def test_an_email_that_is_too_long_ends_with_a_word_on_it(gap: str) -> None:
    email = published(SAMPLES["video.failed"], f"It failed.\n\n{gap.join(['word'] * 100_000)}\nThe end")["email"]

    assert email.startswith("It failed.\n\nword")
    assert email.endswith("\n… (shortened)")
    assert len(email) < 20_000


def test_an_event_whose_email_alone_is_too_long_is_not_trimmed() -> None:
    assert published(SAMPLES["video.failed"], "x" * 300_000)["default"] == SAMPLES["video.failed"]


@given(detail=TEXTS, text=TEXTS)
def test_what_operators_are_told_fits_as_well(detail: str, text: str) -> None:
    alert = {
        "type": "endpoint.disabled",
        "timestamp": "…",
        "data": {"endpoint": "ep_1", "url": "https://a.example", "detail": detail},
    }

    protocols = json.loads(sns_message(json.dumps(alert, ensure_ascii=False), text, "Disabled"))

    assert json.loads(protocols["default"])["data"].keys() == alert["data"].keys()  # type: ignore[attr-defined]


# Slack.


def slack_texts(message: Mapping[str, Any]) -> list[str]:
    """Return every text that Slack reads for links and mentions."""
    sections = [block for block in message["blocks"] if block["type"] == "section"]
    texts = chain.from_iterable([block["text"], *block.get("fields", [])] for block in sections)
    return [message["text"], *(text["text"] for text in texts)]


def check_limits_of_slack(message: Mapping[str, Any]) -> None:
    assert 0 < len(message["blocks"]) <= 50
    assert 0 < units(message["text"]) <= 3000
    for block in message["blocks"]:
        assert 0 < units(block["text"]["text"]) <= (150 if block["type"] == "header" else 3000)
        assert len(block.get("fields", [])) <= 10
        assert all(0 < units(field["text"]) <= 2000 for field in block.get("fields", []))
        if "accessory" in block:
            assert re.fullmatch(r"https?://[!-~]+", block["accessory"]["image_url"])
            assert units(block["accessory"]["image_url"]) <= 3000
            assert 0 < units(block["accessory"]["alt_text"]) <= 2000


@given(body=BODIES)
def test_a_message_is_within_the_limits_of_slack(body: str) -> None:
    check_limits_of_slack(json.loads(rendered("slack", body)))


@given(body=BODIES)
def test_in_slack_only_the_link_to_the_video_is_a_link_and_nobody_is_called(body: str) -> None:
    message = json.loads(rendered("slack", body))

    links = [text for text in slack_texts(message) if re.search("[<>]", text)]

    assert len(links) <= 1
    assert all(re.fullmatch(r"<https?://[^<>| ]+\|Watch it>", link) for link in links)
    assert all(not re.search("&(?!amp;|lt;|gt;)", text) for text in slack_texts(message)), "no escape is cut in two"
    texts = [text for block in message["blocks"] for text in [block["text"], *block.get("fields", [])]]
    assert all(text["type"] == "plain_text" or text["verbatim"] for text in texts), "Slack is not to look for links itself"


def test_in_slack_a_hostile_title_and_error_are_read_as_they_are() -> None:
    message = slack(body_of(replace(FAILED, title=HOSTILE, error=HOSTILE)))
    assert not any(re.search("[<>]", text) for text in slack_texts(message))
    shown = [html.unescape(text) for text in slack_texts(message)]

    assert shown[0] == f"This video failed: {HOSTILE}"
    assert shown[1] == HOSTILE
    assert shown[-1] == f"*Reason*\n{HOSTILE}"


def test_in_slack_a_finished_video_has_all_that_one_wants_to_know() -> None:
    header, about, link = slack(body_of(VIDEO))["blocks"]

    assert header["text"]["text"] == "Your video is ready"
    assert about["text"]["text"] == "Spring sale"
    assert [field["text"] for field in about["fields"]] == [
        "*Provider*\nHeyGen",
        "*Account*\nmarketing",
        "*Status*\ncompleted",
        "*Took*\n3 min 20 s",
        "*Length*\n1 min 2 s",
        "*Video*\nv-1",
    ]
    assert about["accessory"] == {"type": "image", "image_url": VIDEO.thumbnail_url, "alt_text": "Spring sale"}
    assert link["text"]["text"] == "<https://cdn.example/v-1.mp4?a=1&amp;b=2|Watch it>"


def test_slack_is_given_no_picture_for_whose_sake_it_could_refuse_a_message() -> None:
    assert all(block["type"] != "image" for block in slack(body_of(VIDEO))["blocks"])


# Discord.


def check_limits_of_discord(message: Mapping[str, Any]) -> None:
    (embed,) = message["embeds"]
    fields = embed["fields"]

    assert 0 < units(message["content"]) <= 2000
    assert 0 < units(embed["title"]) <= 256
    assert units(embed.get("description", "")) <= 4096
    assert len(fields) <= 25
    assert all(0 < units(field["name"]) <= 256 and 0 < units(field["value"]) <= 1024 for field in fields)
    assert sum(map(units, [embed["title"], embed.get("description", ""), *texts_of(fields)])) <= 6000
    addresses = [address for address in (embed.get("url"), embed.get("thumbnail", {}).get("url")) if address is not None]
    assert all(re.fullmatch(r"https?://[!-~]+", address) and len(address) <= 2048 for address in addresses)
    assert datetime.fromisoformat(embed["timestamp"]).tzinfo is UTC
    assert 0 <= embed["color"] <= 0xFFFFFF


@given(body=BODIES)
def test_a_message_is_within_the_limits_of_discord(body: str) -> None:
    check_limits_of_discord(json.loads(rendered("discord", body)))


@given(body=BODIES)
def test_in_discord_nobody_is_called_and_no_title_is_markdown(body: str) -> None:
    message = json.loads(rendered("discord", body))
    (embed,) = message["embeds"]

    assert message["allowed_mentions"] == {"parse": []}
    for text in (embed["title"], *(field["value"] for field in embed["fields"])):
        unescaped = re.sub(r"\\[^0-9A-Za-z\s]", "", text)
        assert not re.search(r"[\\*_~`|\[\]<>@#:()]", unescaped), "no mark without its backslash, no backslash without its mark"


@pytest.mark.parametrize("mark", "\\*_~`|#[]()<>@:")
def test_in_discord_a_mark_is_escaped(mark: str) -> None:
    (embed,) = discord(body_of(replace(VIDEO, title=f"a{mark}b")))["embeds"]

    assert embed["title"] == f"a\\{mark}b"


def test_in_discord_a_hostile_title_and_error_are_read_as_they_are() -> None:
    (embed,) = discord(body_of(replace(FAILED, title=HOSTILE, error=HOSTILE)))["embeds"]
    reason = next(field["value"] for field in embed["fields"] if field["name"] == "Reason")

    assert [re.sub(r"\\(.)", r"\1", text) for text in (embed["title"], reason)] == [HOSTILE, HOSTILE]


def test_in_discord_a_finished_video_has_all_that_one_wants_to_know() -> None:
    assert discord(body_of(VIDEO)) == {
        "content": "Your video is ready",
        "embeds": [
            {
                "title": "Spring sale",
                "color": 0x2EB67D,
                "timestamp": "2026-11-24T12:00:00Z",
                "fields": [
                    {"name": "Provider", "value": "HeyGen", "inline": True},
                    {"name": "Account", "value": "marketing", "inline": True},
                    {"name": "Status", "value": "completed", "inline": True},
                    {"name": "Took", "value": "3 min 20 s", "inline": True},
                    {"name": "Length", "value": "1 min 2 s", "inline": True},
                    {"name": "Video", "value": r"v\-1", "inline": True},
                ],
                "url": VIDEO.url,
                "description": "[Watch it](https://cdn.example/v-1.mp4?a=1&b=2)",
                "thumbnail": {"url": VIDEO.thumbnail_url},
            }
        ],
        "allowed_mentions": {"parse": []},
    }


# Every chat.


@pytest.mark.parametrize("format_", ["slack", "discord"])
@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_a_chat_is_told_of_every_event_there_is(kind: str, format_: str) -> None:
    told = " ".join(texts_of(json.loads(rendered(format_, SAMPLES[kind]))))

    data = json.loads(SAMPLES[kind])["data"]
    assert data["title"] in told
    assert PROVIDER_NAMES[data["provider"]] in told
    assert data["account"] in told
    assert data["status"] in told


@pytest.mark.parametrize("letter", ["x", "&", "<", "*", "\\", "@", "🎉"])
def test_a_message_is_within_the_limits_of_a_chat_though_every_text_is_too_long(letter: str) -> None:
    worst, address = letter * 5000, f"https://cdn.example/{'x' * 2028}"
    account = AccountName("pixverse", "_" * 1000)
    video = replace(VIDEO, account=account, video_id=worst, title=worst, error=worst, url=address, thumbnail_url=address)
    message = slack(body_of(video)), discord(body_of(video))

    check_limits_of_slack(message[0])
    check_limits_of_discord(message[1])
    assert message[1]["embeds"][0]["url"] == address, "the longest that Discord takes"


@pytest.mark.parametrize("format_", ["slack", "discord"])
@pytest.mark.parametrize(
    ("error", "told"),
    [("too long", "too long"), (None, "the provider gave none"), ("\x00", "the provider gave none")],
)
def test_a_chat_is_told_why_a_video_failed(error: str | None, told: str, format_: str) -> None:
    message = rendered(format_, event_of(replace(FAILED, error=error)).body)

    assert told in " ".join(texts_of(json.loads(message)))


@pytest.mark.parametrize("format_", ["slack", "discord"])
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://cdn.example/v.mp4",
        "//cdn.example/v.mp4",
        "/v.mp4",
        "https://",
        "https://localhost/v.mp4",
        "https://llama_punkz.example/v.mp4",
        "https://user:word@cdn.example/v.mp4",
        "https://cdn.example\\@evil.example/v.mp4",
        "https://[::1]/v.mp4",
        "https://bücher.example/v.mp4",
        "https://cdn.example:port/v.mp4",
        "https://cdn.example/" + "x" * 3000,
        "https://cdn.example/" + "ü" * 600,
    ],
)
def test_an_address_that_a_chat_might_refuse_is_left_out_and_the_message_says_so(url: str, format_: str) -> None:
    message = json.loads(rendered(format_, event_of(replace(VIDEO, url=url, thumbnail_url=url)).body))

    assert NO_LINK in texts_of(message)
    assert not any("Watch it" in text for text in texts_of(message))
    assert not any(url in text for text in texts_of(message))


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://cdn.example/a b.mp4", "https://cdn.example/a%20b.mp4"),
        ("https://cdn.example/(1)|<x>.mp4", "https://cdn.example/%281%29%7C%3Cx%3E.mp4"),
        ("https://cdn.example/ü.mp4?x=%2F&y=100%", "https://cdn.example/%C3%BC.mp4?x=%2F&y=100%25"),
        ("HTTPS://cdn.example:8443/v.mp4#t=1", "HTTPS://cdn.example:8443/v.mp4#t=1"),
        ("http://127.0.0.1:8080/v.mp4", "http://127.0.0.1:8080/v.mp4"),
        ("https://cdn.example/v\n.mp4", "https://cdn.example/v%0A.mp4"),
    ],
)
def test_an_address_is_written_as_every_medium_takes_it(url: str, link: str) -> None:
    body = body_of(replace(VIDEO, url=url))

    assert discord(body)["embeds"][0]["url"] == link
    assert slack(body)["blocks"][-1]["text"]["text"] == f"<{html.escape(link, quote=False)}|Watch it>"
    assert link in email_text(body).split("\n")


@given(title=AWKWARD)
def test_direction_marks_in_a_title_turn_no_words_around_in_any_message(title: str) -> None:
    body = event_of(replace(VIDEO, title=f"\u202e{title}\u2066")).body

    told = [rendered("slack", body), rendered("discord", body), published(body)["email"]]

    assert not any(re.search("[\u202a-\u202e\u2066-\u2069]", text) for text in told)


def test_the_address_in_a_pixverse_id_is_not_shown_to_a_channel() -> None:
    body = event_of(replace(VIDEO, video_id="user:1-pixverse:someone@team.example-video:2")).body

    assert not any("team.example" in rendered(format_, body) for format_ in ("slack", "discord"))


@pytest.mark.parametrize("format_", ["slack", "discord", "standard"])
@given(body=BODIES)
def test_an_event_is_written_in_the_same_bytes_at_every_attempt(format_: str, body: str) -> None:
    first, again = (rendered(format_, body).encode() for _ in range(2))

    assert first == again


@given(body=BODIES)
def test_a_signed_webhook_has_the_event_s_own_text(body: str) -> None:
    assert rendered("standard", body) is body


@given(title=st.text("&<>*🎉x", min_size=210, max_size=300))
def test_a_title_is_cut_once_and_between_characters(title: str) -> None:
    bodies = [body_of(replace(VIDEO, title=title[:size])) for size in range(195, 206)]
    shown = [html.unescape(slack(body)["blocks"][1]["text"]["text"]).removesuffix("…") for body in bodies]

    assert all(title.startswith(text) for text in shown)
    assert all(later.startswith(earlier) or earlier.startswith(later) for earlier, later in pairwise(shown))


LINKED: Final[dict[str, Any]] = {
    "link": "https://link.example/evt_1/1798070400/abc",
    "link_expires_at": "2026-12-24T00:00:00Z",
}


def test_a_person_is_given_the_link_that_opens_for_weeks() -> None:
    body = body_of(VIDEO)
    body["data"] |= LINKED
    text = email_text(body)
    assert LINKED["link"] in text
    assert "The link works until 2026-12-24 00:00 UTC." in text
    assert str(VIDEO.url) not in text
    assert slack(body)["blocks"][-1]["text"]["text"] == f"<{LINKED['link']}|Watch it>"
    assert discord(body)["embeds"][0]["url"] == LINKED["link"]
    assert sms_text(body).endswith(LINKED["link"])


def test_a_telephone_is_given_the_providers_url_where_the_link_is_too_long() -> None:
    body = body_of(VIDEO)
    body["data"] |= {**LINKED, "link": "https://link.example/" + "x" * 200}
    assert sms_text(body).endswith(VIDEO.url or "")


def test_an_event_that_was_put_on_the_queue_before_links_were_is_told_as_ever() -> None:
    body = body_of(VIDEO)
    old = {**body, "data": {name: value for name, value in body["data"].items() if not name.startswith("link")}}
    assert email_text(old) == email_text(body)
