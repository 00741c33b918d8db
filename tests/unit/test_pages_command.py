"""`renderbell normalize` and `check`: the contract of what they print and how they exit."""

import json
import subprocess
import sys

import pytest

from renderbell_cli.simulator import Library, SimulatedVideo, Simulator


def renderbell(*arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "renderbell_cli", *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", **environment}
    )


def test_normalize_prints_one_json_object_a_video() -> None:
    page = {
        "data": [
            {"video_id": "a", "video_name": "Köln", "status": "ready", "download_url": "https://v.example/a", "created_at": ""},
            {"video_id": "b", "video_name": "null", "status": "daydreaming", "hosted_url": "https://v.example/b"},
        ],
        "total_count": 2,
    }
    done = renderbell("normalize", "tavus", given=json.dumps(page))
    first, second = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (0, "")
    assert first == {
        "video_id": "a",
        "status": "completed",
        "provider_status": "ready",
        "title": "Köln",
        "url": "https://v.example/a",
        "thumbnail_url": None,
        "url_expires_at": None,
        "error": None,
        "duration_seconds": None,
        "created_at": None,
    }
    assert (second["status"], second["provider_status"], second["title"], second["url"]) == (
        "unknown",
        "daydreaming",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("arguments", "page", "kind"),
    [
        (("tavus", "--http-status", "401"), '{"message": "Invalid access token"}', "auth"),
        (("tavus",), "<html>", "bad_response"),
        (("heygen", "--api-version", "v1"), '{"code": 400123, "message": "Exceed rate limit"}', "rate_limited"),
        (("memories",), '{"code": "0401", "msg": "bad key", "failed": true}', "auth"),
        (("heygen", "--http-status", "410"), "", "not_found"),
        (("videogen", "--http-status", "503"), "", "provider_error"),
    ],
)
def test_an_error_page_exits_1_with_one_line(arguments: tuple[str, ...], page: str, kind: str) -> None:
    done = renderbell("normalize", *arguments, given=page)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"{kind}: ")


def test_an_unknown_provider_exits_2_and_names_those_there_are() -> None:
    done = renderbell("normalize", "sora")
    assert done.returncode == 2
    assert "tavus, heygen" in done.stderr


def test_check_shows_the_listing_that_a_key_sees() -> None:
    with Simulator({("tavus", "k"): Library([SimulatedVideo(id="v1", title="Launch", born_at=0)])}) as simulator:
        good = renderbell("check", "tavus", "--base-url", simulator.url, given="k\n")
        bad = renderbell("check", "tavus", "--base-url", simulator.url, TAVUS_API_KEY="wrong")
    assert good.returncode == 0, good.stderr
    assert "Launch" in good.stdout
    assert "completed" in good.stdout
    assert (bad.returncode, bad.stderr.split(":")[0]) == (1, "auth")


def test_check_says_when_nobody_answers() -> None:
    done = renderbell("check", "tavus", "--base-url", "http://127.0.0.1:9", given="k")
    assert done.returncode == 1
    assert done.stderr.startswith("provider_error: no answer from 127.0.0.1")
