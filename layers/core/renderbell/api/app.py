"""Puts the routes together: one application, and the OpenAPI document that describes it."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response

from renderbell.api.problems import CONTENT_TYPE, WORDS, ProblemError, documented, handle_problems
from renderbell.api.routes import Desk, Route, routes

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
VIDEO: Final = re.compile(r"(/videos/[^/]+/[^/]+/)(.+?)(/announce|/link)?", re.DOTALL)
TAGS: Final[Mapping[str, str]] = {
    "videos": "What became of them",
    "endpoints": "Who receives events",
    "deliveries": "Events on their way, how they went, and once more",
    "accounts": "What is watched",
    "stats": "How many, how long, how many fail",
}
UNSIGNED: Final[Mapping[str, Any]] = {
    "description": "The request is not signed, or IAM does not let its signer in. It is AWS that says so.",
    "content": {"application/json": {"schema": {"type": "object", "properties": {"Message": {"type": "string"}}}}},
}
UNUSED: Final = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
"""Schemas that Powertools puts into every document; our problems are Problem's."""


def application(desk: Desk, logger: Logger) -> LambdaFunctionUrlResolver:
    app = LambdaFunctionUrlResolver(enable_validation=True, response_validation_error_http_code=500)
    handle_problems(app, logger)
    known = routes(desk)
    for route in known:
        _add(app, route)
    for path in dict.fromkeys(route.path for route in known):
        _refuse_the_rest(app, path, [route.method for route in known if route.path == path])

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response[str]:
        return Response(status_code=200, content_type="application/json", body=json.dumps(document(app)))

    return app


def _add(app: LambdaFunctionUrlResolver, route: Route) -> None:
    done: dict[int, Any] = {route.status: {"description": route.summary}}
    app.route(
        route.path,
        method=route.method,
        summary=route.summary,
        operation_id=route.name,
        tags=[route.tag],
        status_code=route.status,
        responses=done | documented(*route.problems, 422),
    )(route.answer)


def _refuse_the_rest(app: LambdaFunctionUrlResolver, path: str, allowed: list[str]) -> None:
    """Answer 405 where a path is known and the method is not. Powertools has nothing for it."""
    names = re.findall(r"<(\w+)>", path)

    def refuse(**_: str) -> None:
        raise ProblemError(405, f"it is {' or '.join(allowed)} that this path takes", {"Allow": ", ".join(allowed)})

    # Powertools reads a handler's parameters from its signature.
    refuse.__annotations__ = dict.fromkeys(names, str)
    others = [method for method in METHODS if method not in allowed]
    app.route(path, method=others, include_in_schema=False, enable_validation=False)(refuse)


def document(app: LambdaFunctionUrlResolver) -> dict[str, Any]:
    """Return the OpenAPI document."""
    from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, License, Server, Tag

    signing = APIKey.model_validate(
        {
            "name": "Authorization",
            "in": APIKeyIn.header,
            "description": "AWS Signature Version 4, for the service `lambda`.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    )
    made: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title="Renderbell",
            version="1",
            openapi_version="3.1.0",
            description="Videos of five providers, who hears of them, and how that went.",
            license_info=License(name="MIT", identifier="MIT"),
            servers=[Server(url="/")],
            tags=[Tag(name=name, description=words) for name, words in TAGS.items()],
            security_schemes={"sigv4": signing},
            security=[{"sigv4": []}],
        )
    )
    fault = {"description": WORDS[500], "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for path in made["paths"].values():
        for operation in path.values():
            operation["responses"]["403"] = UNSIGNED
            operation["responses"]["500"] = fault  # Powertools puts its own in the place of a route's
    for name in UNUSED:
        made["components"]["schemas"].pop(name, None)
    return made


def as_in_aws(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event of the local engine as AWS sends it: there the path comes percent-encoded, here decoded.

    Only an id that itself ends in `/link` or `/announce` is then taken for less than it is.
    """
    path = event["rawPath"]
    found = VIDEO.fullmatch(path)
    encoded = quote(found[1]) + quote(found[2], safe="") + (found[3] or "") if found else quote(path)
    return {**event, "rawPath": encoded}
