"""What a function is told by its environment, read and checked once, at cold start."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from renderbell.errors import BadInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A subclass names the variables its function needs, in lower case."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables. Raises BadInputError that lists every one that is missing."""
        names = [field.name for field in fields(cls)]
        missing = [name.upper() for name in names if not environment.get(name.upper())]
        if missing:
            raise BadInputError(f"the function's environment lacks {', '.join(missing)}")
        return cls(**{name: environment[name.upper()] for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    endpoints_table: str
    deliveries_table: str
    poll_queue_url: str
    delivery_queue_url: str
    quiet_minutes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    videos_table: str
    poll_queue_url: str
    delivery_queue_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HintSettings(Settings):
    parameters_prefix: str
    accounts_table: str
    poll_queue_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings(Settings):
    parameters_prefix: str
    endpoints_table: str
    delivery_queue_url: str
    link_url: str
    link_days: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings(Settings):
    parameters_prefix: str
    videos_table: str
    endpoints_table: str
    deliveries_table: str
    delivery_queue_url: str
    link_url: str
    link_days: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings(Settings):
    parameters_prefix: str
    deliveries_table: str
    fetch_function: str


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings(Settings):
    parameters_prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSettings(Settings):
    parameters_prefix: str
    endpoints_table: str
    deliveries_table: str
    delivery_queue_url: str
    topic_arn: str
    operators_topic_arn: str
    allow_local_endpoints: str
