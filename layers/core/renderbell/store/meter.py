"""Counts what DynamoDB charges: read and write units, indexes included."""

from collections.abc import Mapping
from typing import Any, Final

from pynamodb.models import Model

READS: Final = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})


class Meter:
    """Read and write units of all tables it is attached to. It only ever grows; take differences."""

    def __init__(self) -> None:
        self.reads = 0.0
        self.writes = 0.0

    def attach(self, model: type[Model]) -> None:
        """Ask for consumed capacity with every request of `model`, and add it up."""
        events = model._get_connection().connection.client.meta.events  # noqa: SLF001 - PynamoDB has no public way in
        events.register("provide-client-params.dynamodb", _ask_for_units)
        events.register("after-call.dynamodb", self._add)

    def _add(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        told = parsed.get("ConsumedCapacity") or []
        units = sum(float(one.get("CapacityUnits", 0)) for one in ([told] if isinstance(told, Mapping) else told))
        if model.name in READS:
            self.reads += units
        else:
            self.writes += units


def _ask_for_units(params: dict[str, Any], **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"
