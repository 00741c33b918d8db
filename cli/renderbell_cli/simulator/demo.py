"""Makes up a morning's work of a video team: what the simulator shows when a person watches it."""

# ruff: noqa: RUF001 - titles as people write them, with real dashes

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Final

from renderbell_cli.simulator.videos import Kind, Scope, SimulatedVideo

FINISHED_BEFORE: Final = 6
BORN_SOON: Final = 20
SECONDS_BETWEEN_BIRTHS: Final = 3.0
FAILING: Final = 3
SECONDS_BETWEEN_LATER: Final = 60.0
FAILING_LATER: Final = 0.15
"""Of what follows for as long as the demo runs, at each provider."""

TITLES: Final = (
    "Spring launch – hero cut",
    "Spring launch – 15 s vertical",
    "Spring launch – square for feed",
    "Onboarding, part 1: your first project",
    "Onboarding, part 2: inviting the team",
    "Onboarding, part 3: going live",
    "Customer story: Harbour Bakery",
    "Customer story: Nordlicht Clinics",
    "Customer story: the two-person studio",
    "Weekly update from Ana",
    "Weekly update from Ana (Spanish)",
    "Weekly update from Ana (Japanese)",
    "Pricing explained in 40 seconds",
    "Release 4.2 – what is new",
    "Release 4.2 – for developers",
    "Webinar teaser: shipping on Fridays",
    "Webinar recap: shipping on Fridays",
    "Holiday greeting to partners",
    "Hiring: a day with the support team",
    "Safety briefing, warehouse east",
    "Safety briefing, warehouse east (Polish)",
    "Product tour – dashboard",
    "Product tour – mobile",
    "Founder's letter, read aloud",
    "Trade fair loop, stand 7B",
    "Trade fair loop, night version",
    "How to return a parcel",
    "How to read your invoice",
    "Thank-you note to early users",
    "Rooftop b-roll, golden hour",
    "Logo sting, blue on white",
    "Logo sting, white on blue",
)

REASONS: Final = (
    "The script mentions a public figure and was rejected by moderation.",
    "The voice track is longer than the plan allows (5 minutes).",
    "The background image could not be downloaded (HTTP 403).",
    "Rendering timed out; please submit the video again.",
    "The uploaded audio holds no speech.",
)

FILES: Final[tuple[tuple[str, Kind], ...]] = (
    ("Spring launch – poster", "IMAGE"),
    ("Product tour – thumbnail", "IMAGE"),
    ("Onboarding – voice-over", "AUDIO"),
    ("Trade fair loop – music bed", "AUDIO"),
)
"""What else lies in a VideoGen account."""


def demo_videos(seed: int, now: float, provider: str) -> Iterator[SimulatedVideo]:
    """Yield 6 videos that were done before `now`, then 20 born over the minute after it.

    The same arguments give the same videos.
    """
    dice = random.Random(f"{seed} {provider}")  # noqa: S311 - a demo, not a secret
    titles = dice.sample(TITLES, FINISHED_BEFORE + BORN_SOON)
    failing = {FINISHED_BEFORE // 2, *dice.sample(range(FINISHED_BEFORE, FINISHED_BEFORE + BORN_SOON), FAILING)}
    for number, title in enumerate(titles):
        soon = number - FINISHED_BEFORE
        born_at = _long_ago(dice, now) if soon < 0 else now + SECONDS_BETWEEN_BIRTHS * soon + dice.random()
        scope: Scope = "EXPORT" if provider == "videogen" and number % 3 == 0 else "GLOBAL"
        yield _video(dice, provider, title, born_at, fails=number in failing, scope=scope)
    if provider == "videogen":
        for title, kind in FILES:
            yield SimulatedVideo(id=IDS[provider](dice), title=title, born_at=_long_ago(dice, now), kind=kind)


def later_videos(seed: int, now: float, provider: str) -> Iterator[SimulatedVideo]:
    """Yield what is born after the first minute, about one a minute, without end. The same arguments give the same videos."""
    dice = random.Random(f"{seed} {provider} later")  # noqa: S311 - a demo, not a secret
    first = now + SECONDS_BETWEEN_BIRTHS * BORN_SOON + dice.uniform(0, SECONDS_BETWEEN_LATER)  # the five in turns
    for number in count():
        born_at = first + SECONDS_BETWEEN_LATER * number + dice.random()
        title = f"{dice.choice(TITLES)}, take {number + 2}"
        yield _video(dice, provider, title, born_at, fails=dice.random() < FAILING_LATER)


def _video(
    dice: random.Random, provider: str, title: str, born_at: float, *, fails: bool, scope: Scope = "GLOBAL"
) -> SimulatedVideo:
    return SimulatedVideo(
        id=IDS[provider](dice),
        title=title,
        born_at=born_at,
        queued_seconds=dice.uniform(2, 6),
        generating_seconds=dice.uniform(4, 25),
        outcome="failed" if fails else "completed",
        error=dice.choice(REASONS) if fails else None,
        duration_seconds=round(dice.uniform(6, 90), 1),
        scope=scope,
    )


def _long_ago(dice: random.Random, now: float) -> float:
    return now - dice.uniform(600, 72 * 3600)


def _digits(dice: random.Random, count: int) -> str:
    return str(dice.randrange(10 ** (count - 1), 10**count))


IDS: Final[Mapping[str, Callable[[random.Random], str]]] = {
    "tavus": lambda dice: dice.randbytes(5).hex(),
    "heygen": lambda dice: dice.randbytes(16).hex(),
    "memories": lambda dice: f"VI{_digits(dice, 18)}",
    "videogen": lambda dice: f"vg_file_01{''.join(dice.choices('0123456789ABCDEFGHJKMNPQRSTVWXYZ', k=24))}",
    "pixverse": lambda dice: f"user:1234-pixverse:studio@example.com-video:{_digits(dice, 15)}",
}
"""Ids in the form each provider gives them."""
