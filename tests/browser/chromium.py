"""Debian's headless Chromium: takes pictures of pages, and tells what a page has become."""

import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--disable-dev-shm-usage", "--force-color-profile=srgb", "--virtual-time-budget=2000"),
)
SECONDS: Final = 90


def screenshot(address: str, picture: Path, *, width: int, height: int, scale: float = 1) -> None:
    """Take a picture of a page."""
    run(address, f"--screenshot={picture}", f"--window-size={width},{height}", f"--force-device-scale-factor={scale}")


def dom(address: str, *flags: str, width: int = 1280) -> str:
    """Return a page as it is after it was loaded."""
    return run(address, "--dump-dom", f"--window-size={width},900", *flags)


def run(address: str, *flags: str) -> str:
    assert CHROMIUM is not None, "Chromium is not installed: `apt-get install chromium`"
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", *flags, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    return done.stdout


def told(page: str, name: str) -> str:
    """Return what a page's own script wrote into the attribute `data-NAME` of its body."""
    found = re.search(rf'<body[^>]* data-{name}="([^"]*)"', page)
    assert found is not None, f"the page says nothing of {name}"
    return unescape(found[1])
