"""Says what went wrong, as problem documents (RFC 9457): what, where, what to do. What we were sent is not sent back."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)

from renderbell.api.models import Problem
from renderbell.errors import BadInputError, NotEndedError, NotOnRecordError

CONTENT_TYPE: Final = "application/problem+json"
WORDS: Final[Mapping[int, str]] = {
    400: "What was asked for cannot be done as asked",
    404: "There is no such thing",
    405: "Not by this method",
    409: "Not as things stand",
    410: "It is gone",
    415: "The body is not JSON",
    422: "What was sent is not valid",
    500: "Renderbell's own fault: its log says more",
    502: "The provider did not give what was asked",
    503: "The provider wants to be asked later",
}


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


def problem(status: int, detail: str | None = None, headers: Mapping[str, str] | None = None, **more: Any) -> Response[str]:
    said = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    return Response(
        status_code=status,
        content_type=CONTENT_TYPE,
        body=said.model_dump_json(exclude_none=True),
        headers=dict(headers or {}),
    )


def documented(*statuses: int) -> dict[int, Any]:
    """Return the answers of a route that are problems, as its OpenAPI description."""
    return {status: {"description": WORDS[status], "content": {CONTENT_TYPE: {"model": Problem}}} for status in statuses}


def handle_problems(app: LambdaFunctionUrlResolver, logger: Logger) -> None:
    """Turn whatever is raised on the way to an answer into a problem document."""

    def faulty(error: Exception) -> Response[str]:
        logger.error("a request failed", exc_info=error)
        return problem(500, WORDS[500])

    def unfit(error: ResponseValidationError) -> Response[str]:
        logger.error("an answer is not as documented", extra={"errors": [one["loc"] for one in error.errors()]})
        return problem(500, WORDS[500])

    app.not_found(lambda _: problem(404, "there is no such path: /openapi.json lists them"))
    app.exception_handler(Exception)(faulty)
    app.exception_handler(ResponseValidationError)(unfit)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(RequestUnsupportedContentType)(
        lambda _: problem(415, "send a JSON object, with content-type: application/json")
    )
    app.exception_handler(ServiceError)(lambda error: problem(error.status_code, str(error.msg)))
    app.exception_handler(ProblemError)(lambda error: problem(error.status, str(error), error.headers))
    app.exception_handler(BadInputError)(_refused)


def _invalid(error: RequestValidationError) -> Response[str]:
    errors = [{"where": "/".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
    return problem(422, WORDS[422], errors=errors)


def _refused(error: BadInputError) -> Response[str]:
    match error:
        case NotOnRecordError():
            return problem(404, str(error))
        case NotEndedError():
            return problem(409, str(error))
    return problem(400, str(error))
