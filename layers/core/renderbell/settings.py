"""What a function is told by its environment, read and checked once, at cold start."""

from collections.abc import Mapping, Sequence
from typing import Self

from renderbell.errors import BadInputError


class Settings:
    """A subclass names the variables its function needs, in lower case.

    These are no dataclasses: Python needs a millisecond to make one, and every function would make those of all.
    """

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables. Raises BadInputError that lists every one that is missing."""
        names = cls.names()
        missing = [name.upper() for name in names if not environment.get(name.upper())]
        if missing:
            raise BadInputError(f"the function's environment lacks {', '.join(missing)}")
        settings = cls()
        vars(settings).update({name: environment[name.upper()] for name in names})
        return settings

    @classmethod
    def names(cls) -> Sequence[str]:
        return list(cls.__annotations__)


class DispatchSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    endpoints_table: str
    deliveries_table: str
    poll_queue_url: str
    delivery_queue_url: str
    quiet_minutes: str
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
    link_days: str


class AuditSettings(Settings):
    parameters_prefix: str
    videos_table: str
    endpoints_table: str
    deliveries_table: str
    delivery_queue_url: str
    link_url: str
    link_days: str


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
    link_days: str
    schedules: str
    allow_local_endpoints: str
    paths_come_decoded: str


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
    allow_local_endpoints: str


class AlarmSettings(Settings):
    stack_name: str
    delivery_queue_url: str
