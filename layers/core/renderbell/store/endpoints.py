"""Remembers endpoints."""

from collections.abc import Sequence

from renderbell.endpoints import Endpoint
from renderbell.store.tables import EndpointRow, opened


class Endpoints:
    def __init__(self, table: str) -> None:
        self._row = opened(EndpointRow, table)

    def all(self) -> Sequence[Endpoint]:
        """Return every endpoint, oldest first. There are few, and an event must not miss one that was just added."""
        rows = self._row.scan(consistent_read=True)
        return [endpoint_of(row) for row in sorted(rows, key=lambda row: (row.created_at, row.endpoint_id))]

    def get(self, endpoint_id: str) -> Endpoint | None:
        try:
            return endpoint_of(self._row.get(endpoint_id, consistent_read=True))
        except self._row.DoesNotExist:
            return None

    def put(self, endpoint: Endpoint) -> None:
        self._row(
            endpoint.endpoint_id,
            url=endpoint.url,
            events=set(endpoint.events) or None,
            providers=set(endpoint.providers) or None,
            accounts=set(endpoint.accounts) or None,
            allow_http=endpoint.allow_http,
            description=endpoint.description,
            created_at=endpoint.created_at,
            disabled_reason=endpoint.disabled_reason,
        ).save()

    def disable(self, endpoint_id: str, reason: str) -> None:
        """Note why an endpoint is no longer called. Its events are held from now on."""
        row = self._row(endpoint_id)
        row.update(actions=[self._row.disabled_reason.set(reason)], condition=self._row.endpoint_id.exists())

    def remove(self, endpoint_id: str) -> None:
        self._row(endpoint_id).delete()


def endpoint_of(row: EndpointRow) -> Endpoint:
    return Endpoint(
        endpoint_id=row.endpoint_id,
        url=row.url,
        events=frozenset(row.events or ()),
        providers=frozenset(row.providers or ()),
        accounts=frozenset(row.accounts or ()),
        allow_http=row.allow_http,
        description=row.description,
        created_at=row.created_at,
        disabled_reason=row.disabled_reason,
    )
