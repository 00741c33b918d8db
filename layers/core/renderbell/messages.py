"""How an event reads in each medium: e-mail, SMS, Slack, Discord, and JSON for programs."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any, Final
from urllib.parse import quote, urlsplit

from renderbell.events import PROVIDER_NAMES, TRIAL, masked
from renderbell.values import moment

type Body = Mapping[str, Any]
"""The JSON of an event, read."""

HEADLINES: Final[Mapping[str, str]] = {
    "video.completed": "Your video is ready",
    "video.failed": "This video failed",
    "video.deleted": "This video was deleted",
    "video.stalled": "This video is taking very long",
    TRIAL: "This is a test",
}
SUBJECTS: Final[Mapping[str, str]] = {TRIAL: "Test"}
"""First words of a subject, where an event's type does not end in one."""
COLOURS: Final[Mapping[str, int]] = {
    "video.completed": 0x2EB67D,
    "video.failed": 0xE01E5A,
    "video.deleted": 0x8D8D8D,
    "video.stalled": 0xECB22E,
    TRIAL: 0x36C5F0,
}
NO_LINK: Final = "Its link cannot be shown here. Find the video at its provider."

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a subject is ASCII and has fewer than 100 characters, a message
# has 262,144 bytes with its attributes, which are given 8 KiB here.
MAX_SUBJECT: Final = 99
MAX_SMS: Final = 140
MAX_MESSAGE: Final = 262_144 - 8192
SHORTER: Final = (16_000, 4000)
"""Characters that a text keeps when a message is too large: the first number that makes it fit, which the last always does.

No identifier is as long: they are keys of tables, which end at 2 KB.
"""

# https://docs.slack.dev/reference/block-kit/blocks: a text has 3000 characters, a field 2000, an image's address 3000.
SLACK_TEXT: Final = 3000
SLACK_LINK: Final = 2500
SLACK_ESCAPES: Final[Mapping[str, str]] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# https://discord.com/developers/docs/resources/message#embed-object-embed-limits: a title has 256 characters, a field's value
# 1024, all of an embed 6000. An address may have 2048.
DISCORD_TITLE: Final = 256
DISCORD_FIELD: Final = 1024
DISCORD_LINK: Final = 2048
DISCORD_ESCAPES: Final[Mapping[str, str]] = {c: f"\\{c}" for c in "\\*_~`|#[]()<>@:+-"}

MAX_TITLE: Final = 200
MAX_REASON: Final = 1000
MAX_LINK: Final = 3000
"""Characters of a title, an error and an address that people are shown; programs get all."""

UNSAID: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # SNS refuses these, but for U+007F to U+009F
    "|[\u202a-\u202e\u2066-\u2069]"  # turn the words around them, even those of ours
)
"""Characters that no person is shown."""
ASCII_FOR: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "\u00d7": "x"}
    | {"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'}
)
"""What Unicode's own decomposition does not turn into ASCII."""
HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?")
"""Discord refuses a whole message for an address whose host is another: https://github.com/discordjs/discord.js/issues/7438."""


# Words for people.


def subject(body: Body) -> str:
    """Return an e-mail's subject within the rules of SNS: one line of ASCII, whatever the title holds."""
    kind, data = body["type"], body["data"]
    word = SUBJECTS.get(kind, kind.removeprefix("video.").capitalize())
    room = MAX_SUBJECT - len(f"{word}:  ({_provider(data)})")
    name = _ascii_name(data)
    return f"{word}: {name if len(name) <= room else f'{name[: room - 3].rstrip()}...'} ({_provider(data)})"


def email_text(body: Body) -> str:
    """Return the e-mail a person reads: what happened, where, how long it took, the link or the reason."""
    data = body["data"]
    lines = [f"{HEADLINES[body['type']]}: {_title(data)}", "", _sentence(body)]
    if _is_playable(data):
        lines += ["", "Watch it:", _watch(data) or NO_LINK]
        until = moment(data["link_expires_at"] if data.get("link") else data["url_expires_at"])
        lines += [f"The link works until {until:%Y-%m-%d %H:%M} UTC."] if until else []
    return "\n".join([*lines, "", f"Account {data['account']}, video {_plain(data['video_id'])}", "Sent by Renderbell"])


def sms_text(body: Body) -> str:
    """Return one line of ASCII for a telephone: the subject, with the link if it is short enough."""
    line, data = subject(body), body["data"]
    link = _watch(data, MAX_SMS - len(line) - 1) if _is_playable(data) else None
    return f"{line} {link}" if link else line


def spoken_duration(seconds: float) -> str:
    """Return `42 s`, `3 min 20 s` or `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _sentence(body: Body) -> str:
    """Return what happened at the provider, as one would tell it."""
    data, provider = body["data"], _provider(body["data"])
    seconds, length, reason = data["seconds_in_flight"], data["duration_seconds"], _reason(data)
    time = None if seconds is None else spoken_duration(seconds)
    match body["type"]:
        case "video.failed":
            after = f"{provider} gave up after {time}" if time else f"{provider} gave up"
            return f"{after}: {reason}" if data["error"] else f"{after} and gave no reason."
        case "video.deleted":
            before = data["previous_status"]
            return f"It is no longer at {provider}." + (f" Before that it was {before}." if before else "")
        case "video.stalled":
            at_it = f"{provider} has been at it for {time}." if time else f"{provider} is still at it."
            return f"{at_it} Renderbell goes on watching and will tell you how it ends."
    made = f"{provider} made it in {time}." if time else f"{provider} made it."
    return made if length is None else f"{made} It runs {spoken_duration(length)}."


# SNS.


def sns_message(body: str, text: str, sms: str) -> str:
    """Return a message for every protocol of SNS: `text` as e-mail, `sms` for telephones, the event's JSON for the rest.

    What would be too large is shortened: an event says so with `"trimmed": true` and keeps all its fields, an e-mail with its
    last line.
    """
    whole = _together(body, text, sms)
    sizes = iter(SHORTER)
    while len(whole.encode()) > MAX_MESSAGE and (size := next(sizes, None)):
        whole = _together(_trimmed(body, size), _shortened(text, size), sms)
    return whole


def _together(body: str, text: str, sms: str) -> str:
    # Outside its strings JSON has ASCII alone, so these two, which SNS refuses, can be escaped wherever they stand.
    default = body.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    return json.dumps({"default": default, "email": UNSAID.sub("", text), "sms": UNSAID.sub("", sms)}, ensure_ascii=False)


def _trimmed(body: str, size: int) -> str:
    event = json.loads(body)
    data = {name: _cut(name, value, size) for name, value in event["data"].items()}
    marked = event if data == event["data"] else {**event, "data": data, "trimmed": True}
    return json.dumps(marked, ensure_ascii=False, separators=(",", ":"))


def _cut(name: str, value: Any, size: int) -> Any:
    if not isinstance(value, str) or len(value) <= size:
        return value
    # Half an address leads nowhere.
    return None if name.endswith("url") else f"{value[: size - 1]}…"


def _shortened(text: str, size: int) -> str:
    """Return the first lines of a text, none of them very long, and say so."""
    if len(text) <= size:
        return text
    longest = size // 4
    lines = [line if len(line) <= longest else f"{line[: longest - 1]}…" for line in text[: 2 * size].split("\n")]
    ends = accumulate(len(line) + 1 for line in lines)
    return "\n".join([*(line for line, end in zip(lines, ends, strict=True) if end <= size), "… (shortened)"])


# Chats.


def rendered(format_: str, body: str) -> str:
    """Return the text to post for an event in a format, at every attempt the same: the event itself, or a chat's message."""
    write = CHAT_MESSAGES.get(format_)
    return body if write is None else json.dumps(write(json.loads(body)), ensure_ascii=False)


def slack(body: Body) -> dict[str, Any]:
    """Return a message for an incoming webhook of Slack. Nothing in a title makes a link or calls anybody."""
    data, headline, title = body["data"], HEADLINES[body["type"]], _title(body["data"])
    about: dict[str, Any] = {**_slack_section(_slack(title)), "fields": [_slack_fact(*fact) for fact in _facts(body)]}
    picture = web_address(data["thumbnail_url"])
    if picture:
        # Beside a text. Slack refuses a whole message when it cannot fetch the picture of an image block, not of an accessory:
        # https://github.com/slackapi/java-slack-sdk/issues/1396.
        about["accessory"] = {"type": "image", "image_url": picture, "alt_text": title}
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": headline}}, about]
    reason, link = _reason(data), _watch(data, SLACK_LINK)
    blocks += [_slack_section(f"*Reason*\n{_slack(reason)}")] if reason else []
    if _is_playable(data):
        blocks.append(_slack_section(f"<{_slack(link)}|Watch it>" if link else NO_LINK))
    return {"text": f"{headline}: {_slack(title)}", "blocks": blocks}


def _slack(text: str) -> str:
    """Return a text in which Slack sees no link, no mention and no entity.

    https://docs.slack.dev/messaging/formatting-message-text/#escaping
    """
    return _written(text, SLACK_TEXT - 100, SLACK_ESCAPES)


def _slack_section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _slack_text(text)}


def _slack_fact(name: str, value: str) -> dict[str, Any]:
    return _slack_text(f"*{name}*\n{_slack(value)}")


def _slack_text(text: str) -> dict[str, Any]:
    # Verbatim, or else Slack would make links of what looks like an address or a channel.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def discord(body: Body) -> dict[str, Any]:
    """Return a message for a webhook of Discord. Nothing in a title makes a link or calls anybody."""
    data, link = body["data"], _watch(body["data"], DISCORD_LINK)
    embed: dict[str, Any] = {
        "title": _written(_title(data), DISCORD_TITLE, DISCORD_ESCAPES),
        "color": COLOURS[body["type"]],
        "timestamp": body["timestamp"],
        "fields": [{"name": name, "value": _discord(value), "inline": True} for name, value in _facts(body)],
    }
    reason, picture = _reason(data), web_address(data["thumbnail_url"], DISCORD_LINK)
    embed["fields"] += [{"name": "Reason", "value": _discord(reason)}] if reason else []
    if _is_playable(data):
        embed |= {"url": link, "description": f"[Watch it]({link})"} if link else {"description": NO_LINK}
    if picture:
        embed["thumbnail"] = {"url": picture}
    return {"content": HEADLINES[body["type"]], "embeds": [embed], "allowed_mentions": {"parse": []}}


def _discord(text: str) -> str:
    return _written(text, DISCORD_FIELD, DISCORD_ESCAPES)


CHAT_MESSAGES: Final[Mapping[str, Callable[[Body], dict[str, Any]]]] = {"slack": slack, "discord": discord}


def _facts(body: Body) -> list[tuple[str, str]]:
    """Return what a person wants to know beside title and reason, with a name for each."""
    data, kind = body["data"], body["type"]
    facts = [("Provider", _provider(data)), ("Account", data["account"]), ("Status", data["status"])]
    if data["seconds_in_flight"] is not None and kind != "video.deleted":
        facts.append(("Waiting" if kind == "video.stalled" else "Took", spoken_duration(data["seconds_in_flight"])))
    if data["duration_seconds"] is not None:
        facts.append(("Length", spoken_duration(data["duration_seconds"])))
    video = _clipped(_plain(masked(data["video_id"])), MAX_TITLE)
    return [*facts, ("Video", video)] if video else facts


# Parts of all of them.


def _title(data: Mapping[str, Any]) -> str:
    return _clipped(_plain(data["title"] or ""), MAX_TITLE) or "untitled"


def _reason(data: Mapping[str, Any]) -> str | None:
    """Return why a video failed, None when it did not."""
    if data["error"]:
        return _clipped(_plain(data["error"]), MAX_REASON) or "the provider gave none"
    return "the provider gave none" if data["status"] == "failed" else None


def _provider(data: Mapping[str, Any]) -> str:
    return PROVIDER_NAMES.get(data["provider"], data["provider"])


def _is_playable(data: Mapping[str, Any]) -> bool:
    return bool(data["url"]) and data["status"] == "completed"


def _watch(data: Mapping[str, Any], longest: int = MAX_LINK) -> str | None:
    """Return where to watch a video: our own link, which opens for weeks, or the provider's URL."""
    return web_address(data.get("link"), longest) or web_address(data["url"], longest)


def web_address(address: str | None, longest: int = MAX_LINK) -> str | None:
    """Return an address in ASCII, as every medium takes it; None for one that is not http(s) at a proper host, or too long."""
    found = re.sub("%(?![0-9A-Fa-f]{2})", "%25", quote(address or "", safe="%/:?#@!$&'*+,;=", errors="replace"))
    parts = urlsplit(found)
    is_link = parts.scheme in {"http", "https"} and HOST.fullmatch(parts.netloc) and len(found) <= longest
    return found if is_link else None


def one_line(text: str, limit: int) -> str:
    """Return what strangers wrote in one line of at most `limit` characters, without what no person should be shown."""
    return _clipped(_plain(text), limit)


def _plain(text: str) -> str:
    """Return a text in one line, without what no person should be shown."""
    return " ".join(UNSAID.sub(" ", text).split())


def _clipped(text: str, limit: int) -> str:
    return _written(text, limit, {})


def _written(text: str, limit: int, escapes: Mapping[str, str]) -> str:
    """Return a text with its characters escaped, in at most `limit` UTF-16 units. Where it is cut, no escape is cut in two.

    Neither Slack nor Discord says whether an emoji counts once or twice; in these units it is twice.
    """
    pieces = [escapes.get(c, c) for c in text[: limit + 1]]
    ends = list(accumulate(len(piece) + sum(c > "\uffff" for c in piece) for piece in pieces))
    if not ends or (len(text) <= limit and ends[-1] <= limit):
        return "".join(pieces)
    return "".join(piece for piece, end in zip(pieces, ends, strict=True) if end < limit).rstrip() + "…"


def _ascii_name(data: Mapping[str, Any]) -> str:
    """Return a video's title in ASCII or, where little would be left of it, the video's id."""
    title = _title(data)
    name = _ascii(title)
    letters, left = (sum(map(str.isalnum, text)) for text in (title, name))
    return name if left and left * 2 >= letters else f"video {_ascii(masked(data['video_id']))}".strip()


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(ASCII_FOR))
    return _plain(decomposed.encode("ascii", "ignore").decode())
