"""Writes renderbell/described/: what botocore knows of the AWS services that Renderbell asks, without the rest (`make lock`).

Taken from the botocore of requirements/dev.txt (Apache License 2.0): without its documentation, and without operations that
nobody here asks for. See renderbell/aws.py for what it is good for.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.loaders import Loader

DESCRIBED: Final = Path(__file__).parent / "renderbell" / "described"
OPERATIONS: Final[Mapping[str, set[str]]] = {
    "dynamodb": {
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
        *("TransactGetItems", "TransactWriteItems", "UpdateItem"),
    },
    "lambda": {"Invoke"},
    "sns": {"Publish"},
    "sqs": {"SendMessageBatch"},
    "ssm": {"DeleteParameter", "GetParameter", "GetParametersByPath", "PutParameter"},
}


def described() -> Mapping[str, Any]:
    """Return what each file holds, by its name."""
    loader = Loader()
    files = {name: _shortened(loader.load_service_model(name, "service-2"), asked) for name, asked in OPERATIONS.items()}
    endpoints = loader.load_data("endpoints")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: it for name, it in partition["services"].items() if name in OPERATIONS}
    return {**files, "endpoints": endpoints}


def written(content: Any) -> str:
    return json.dumps(content, indent=1) + "\n"


def main() -> None:
    DESCRIBED.mkdir(exist_ok=True)
    for name, content in described().items():
        (DESCRIBED / f"{name}.json").write_text(written(content), encoding="utf-8")
        sys.stdout.write(f"{DESCRIBED / name}.json\n")


def _shortened(model: Mapping[str, Any], asked: set[str]) -> Mapping[str, Any]:
    """Return a service's model with some of its operations, and the shapes that these are made of."""
    operations = {name: _without_words(operation) for name, operation in model["operations"].items() if name in asked}
    shapes: dict[str, Any] = {}
    missing = list(_named(operations))
    while missing:
        name = missing.pop()
        if name not in shapes:
            shapes[name] = _without_words(model["shapes"][name])
            missing += _named(shapes[name])
    return {
        **{part: it for part, it in model.items() if part != "documentation"},
        "operations": operations,
        "shapes": {name: shapes[name] for name in sorted(shapes)},
    }


def _named(part: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for inner in part.values():
            yield from _named(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner)


def _without_words(part: Any) -> Any:
    if isinstance(part, dict):
        # A member may have this name, too; then it is an object.
        return {key: _without_words(it) for key, it in part.items() if key != "documentation" or isinstance(it, dict)}
    return [_without_words(one) for one in part] if isinstance(part, list) else part


if __name__ == "__main__":
    main()
