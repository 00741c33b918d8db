"""A simulated video: all it will ever be is fixed when it is made; the clock alone decides what shows of it."""

from dataclasses import dataclass
from typing import Literal

type State = Literal["queued", "generating", "completed", "failed", "deleted"]
type Kind = Literal["VIDEO", "IMAGE", "AUDIO"]
type Scope = Literal["GLOBAL", "PROJECT", "EXPORT"]
type Outcome = Literal["completed", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class SimulatedVideo:
    """One video from birth to its end. Times are Unix seconds.

    The last three fields matter at one provider each: `kind` and `scope` at VideoGen, whose listing holds images and
    audio too and hides exports unless asked for them; `namespace` at Memories.ai, where it is the `unique_id`.
    """

    id: str
    title: str
    born_at: float
    queued_seconds: float = 0.0
    generating_seconds: float = 0.0
    outcome: Outcome = "completed"
    error: str | None = None
    duration_seconds: float = 12.0
    kind: Kind = "VIDEO"
    scope: Scope = "GLOBAL"
    namespace: str = "default"

    @property
    def generating_at(self) -> float:
        return self.born_at + self.queued_seconds

    @property
    def finished_at(self) -> float:
        return self.generating_at + self.generating_seconds

    def state_at(self, now: float) -> State | None:
        """Return where the video stands at `now`; None before it is born."""
        if now < self.born_at:
            return None
        if now < self.generating_at:
            return "queued"
        return "generating" if now < self.finished_at else self.outcome

    def finished(self, now: float) -> bool:
        return now >= self.finished_at

    def changed_at(self, now: float) -> float:
        """Return when the video came to the state it has at `now`."""
        return max((at for at in (self.generating_at, self.finished_at) if at <= now), default=self.born_at)

    def progress_at(self, now: float) -> int:
        """Return how much is rendered at `now`, in percent."""
        if self.finished(now):
            return 100
        begun = max(0.0, now - self.generating_at)
        return int(100 * begun / self.generating_seconds) if begun else 0
