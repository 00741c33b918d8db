"""What a function is told by its environment, read and checked once, at cold start."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

from renderbell.errors import BadInputError

READERS: Final[Mapping[type, Callable[[str], Any]]] = {
    str: str,
    int: int,
    bool: {"true": True, "false": False}.__getitem__,
}


class Settings:
    """A subclass names the variables its function needs, in lower case, and what each of them is.

    These are no dataclasses: Python needs a millisecond to make one, and every function would make those of all.
    """

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables. Raises BadInputError that lists those that are missing, or names one that is something else."""
        missing = [name.upper() for name in cls.names() if not environment.get(name.upper())]
        if missing:
            raise BadInputError(f"the function's environment lacks {', '.join(missing)}")
        settings = cls()
        vars(settings).update({name: cls._value(name, environment[name.upper()]) for name in cls.names()})
        return settings

    @classmethod
    def names(cls) -> Sequence[str]:
        return list(cls.__annotations__)

    @classmethod
    def _value(cls, name: str, given: str) -> Any:
        kind = cls.__annotations__[name]
        try:
            return READERS[kind](given)
        except (ValueError, KeyError):
            raise BadInputError(
                f"{name.upper()} in the function's environment is {given!r}, which is no {kind.__name__}"
            ) from None


class DispatchSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    endpoints_table: str
    deliveries_table: str
    poll_queue_url: str
    delivery_queue_url: str
    quiet_minutes: int
    schedules: str


class PollSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    videos_table: str
    poll_queue_url: str
    delivery_queue_url: str


class HintSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    poll_queue_url: str


class NotifySettings(Settings):
    parameters_prefix: str
    endpoints_table: str
    delivery_queue_url: str
    link_url: str
    link_days: int


class AuditSettings(Settings):
    parameters_prefix: str
    videos_table: str
    endpoints_table: str
    deliveries_table: str
    delivery_queue_url: str
    link_url: str
    link_days: int


class LinkSettings(Settings):
    parameters_prefix: str
    deliveries_table: str
    fetch_function: str


class ApiSettings(Settings):
    parameters_prefix: str
    videos_table: str
    accounts_table: str
    endpoints_table: str
    deliveries_table: str
    poll_queue_url: str
    delivery_queue_url: str
    fetch_function: str
    link_url: str
    link_days: int
    schedules: str
    allow_local_endpoints: bool
    paths_come_decoded: bool


class WidgetSettings(Settings):
    parameters_prefix: str
    videos_table: str
    accounts_table: str
    endpoints_table: str
    deliveries_table: str
    delivery_queue_url: str


class FetchSettings(Settings):
    parameters_prefix: str


class DeliverSettings(Settings):
    parameters_prefix: str
    endpoints_table: str
    deliveries_table: str
    delivery_queue_url: str
    topic_arn: str
    operators_topic_arn: str
    allow_local_endpoints: bool


class AlarmSettings(Settings):
    stack_name: str
    delivery_queue_url: str
