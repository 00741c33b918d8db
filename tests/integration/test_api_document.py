"""Everything that the API's document allows, and much that it does not, is asked by schemathesis over the real engine.

No answer may be a fault, or one that the document does not tell of, or of another shape than it says.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, cast
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from werkzeug.wrappers import Request, Response

from renderbell.api.routes import Desk, routes
from renderbell.fresh import Fresh
from tests.integration.world import Context, World, video

RUNS = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


NOT_CHECKED: Final = [
    ignored_auth,  # AWS checks the signature, before the function is called
    positive_data_acceptance,  # what no schema can say is refused with 400: an address inside a network, for instance
]


def served(world: World) -> Callable[..., Iterable[bytes]]:
    """Return the API as a web application: each request becomes the event that its function URL would send."""
    app: Any = world.apps["api"]

    def ask(account: Any, video_id: str) -> Fresh:
        return Fresh.read(world.apps["fetch"].handler({"account": str(account), "video_id": video_id}, Context()))

    object.__setattr__(app.desk, "fetch", ask)
    object.__setattr__(app.desk.subscribe, "sleep", lambda _: world.drain("DeliveryQueue", "deliver"))

    @Request.application
    def answer(request: Request) -> Response:
        if "authorization" not in request.headers:
            return Response('{"Message": "Forbidden"}', status=403, content_type="application/json")  # as AWS does
        path = request.environ.get("REQUEST_URI", request.path).partition("?")[0]
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": request.query_string.decode(),
            # A function URL joins repeated parameters with commas.
            "queryStringParameters": {name: ",".join(request.args.getlist(name)) for name in request.args},
            "headers": {name.lower(): value for name, value in request.headers},
            "requestContext": {"stage": "$default", "http": {"method": request.method, "path": unquote(path)}},
            "isBase64Encoded": False,
            "body": request.get_data(as_text=True) or None,
        }
        made = app.handler(event, Context())
        return Response(made["body"], status=made["statusCode"], headers=made["headers"])

    return answer


@pytest.fixture
def api(world: World) -> Any:
    account = world.add_account("heygen/main", video("done"), video("lost", outcome="failed"))
    world.poll(account)
    world.add_endpoint()
    return schemathesis.openapi.from_wsgi("/openapi.json", served(world), headers={"authorization": "AWS4-HMAC-SHA256 ..."})


OPERATIONS: Final = [(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in routes(cast("Desk", None))]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_gets_a_fault_or_an_answer_that_the_document_does_not_tell_of(method: str, path: str, api: Any) -> None:
    operation = api[path][method]

    @RUNS
    @given(st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=NOT_CHECKED)

    ask()


def test_the_document_is_a_valid_one(api: Any) -> None:
    api.validate()
