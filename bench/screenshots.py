"""Takes the pictures of the README: the dashboard on a usual day in a studio, light and dark.

    .venv/bin/python -m bench.screenshots [FOLDER]

Needs Debian's Chromium, and for good-looking letters fonts-open-sans and fonts-noto-color-emoji. The videos are made up, and so
are their thumbnails, which are drawn here.
"""

import re
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from renderbell.widget import page
from tests.browser.chromium import screenshot
from tests.browser.looks import FUNCTION, PICTURES, STUDIO

ROOT: Final = Path(__file__).parents[1]

WIDTH: Final = 1200
HEIGHT: Final = 808
MOST_BYTES: Final = 200_000
BACK: Final = {"light": "#eef0f3", "dark": "#0b131c"}
"""Behind the widget: about what the console has there."""
SKIES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "dawn": ("#f6b26b", "#e06c8b", "#5b3a6e", "#fff1c9"),
    "dusk": ("#35477d", "#c06c84", "#2a2347", "#f8b195"),
    "lake": ("#8fd3f4", "#c9eaf7", "#2f6f8f", "#ffffff"),
    "rain": ("#64748b", "#a3b1c2", "#334155", "#dbe4ee"),
    "city": ("#20304f", "#4a5d8a", "#0e1626", "#f5d76e"),
    "desert": ("#f7d9a0", "#f2a65a", "#a85432", "#fff6dd"),
}
"""For each thumbnail two colours of its sky, its hills, and its sun."""


def drawn(name: str) -> str:
    """Return a little landscape as an address of its own."""
    above, below, hills, sun = SKIES[name]
    far = sum(map(ord, name)) % 5
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 144 84"><defs><linearGradient id="s" x2="0" y2="1">'
        f'<stop stop-color="{above}"/><stop offset="1" stop-color="{below}"/></linearGradient></defs>'
        f'<rect width="144" height="84" fill="url(#s)"/><circle cx="{34 + 17 * far}" cy="30" r="12" fill="{sun}"/>'
        f'<path d="M0 60 Q{30 + 6 * far} {34 + 3 * far} 72 56 T144 50 V84 H0z" fill="{hills}" opacity=".55"/>'
        f'<path d="M0 72 Q{50 - 4 * far} 50 96 68 T144 64 V84 H0z" fill="{hills}"/></svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"


def dashboard(theme: str) -> str:
    pictures = rf'src="{re.escape(PICTURES)}(\w+)"'
    widget = re.sub(pictures, lambda found: f'src="{drawn(found[1])}"', page(STUDIO, theme=theme, function=FUNCTION))
    style = f"body{{margin:0;padding:14px;background:{BACK[theme]}}}"
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>{widget}'


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for theme in BACK:
        picture = folder / f"dashboard-{theme}.png"
        with tempfile.TemporaryDirectory() as made:
            source = Path(made) / "dashboard.html"
            source.write_text(dashboard(theme), encoding="utf-8")
            screenshot(source.as_uri(), picture, width=WIDTH, height=HEIGHT)
        size = picture.stat().st_size
        if size >= MOST_BYTES:
            sys.exit(f"{picture} has {size:,} bytes: too many for a README")
        print(f"{picture}: {size:,} bytes")


if __name__ == "__main__":
    main()
