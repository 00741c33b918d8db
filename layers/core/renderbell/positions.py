"""Where a listing of ours goes on: a place that a program hands back as it got it."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from renderbell.errors import BadInputError

NOT_OURS: Final = "that cursor was not given by this listing: begin without one"


def cursor_of(place: Mapping[str, Any]) -> str:
    """Return a place as a text that a URL can carry."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def place_of(cursor: str, *names: str) -> Mapping[str, str]:
    """Read what `cursor_of` wrote, with texts of these names. Raises BadInputError for anything else."""
    try:
        place = json.loads(base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, dict) or not all(isinstance(place.get(name), str) for name in names):
        raise BadInputError(NOT_OURS)
    return place
