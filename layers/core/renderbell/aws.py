"""Makes AWS clients in a fifth of the time that boto3 needs.

boto3 also imports what moves files to S3. botocore alone makes the same clients.

Before its first client botocore lists all services of AWS (four hundred folders, twice) and reads where each one is; for each
client it reads every operation of the service, with documentation. Renderbell needs a few operations of five services: these
are in `described/`, which layers/core/describe.py writes. The figures are in docs/performance.md.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

DESCRIBED: Final = Path(__file__).parent / "described"
QUICK: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
"""When a service does not answer, the function should fail with an error before Lambda ends it: `deliver` has 30 seconds.
botocore's default is five attempts of two minutes."""
ASKING: Final = Config(connect_timeout=2, read_timeout=26, retries={"total_max_attempts": 1})
"""`fetch` takes up to 25 seconds to answer, and is not to be asked twice."""
SERVICES: Final = ("dynamodb", "lambda", "sns", "sqs", "ssm")


@overload
def client(service: Literal["lambda"]) -> "LambdaClient": ...
@overload
def client(service: Literal["sns"]) -> "SNSClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["ssm"]) -> "SSMClient": ...
def client(service: str) -> Any:
    """Return a new client of a service. Nothing is sent; region, credentials and endpoint are botocore's to find."""
    return session().create_client(service, config=ASKING if service == "lambda" else QUICK)


@cache
def session() -> Session:
    """Return the session that all clients share, those of tables as well.

    Outside Lambda it reads botocore's own descriptions: a person's credentials may need services that are not described here.
    """
    made = get_session()
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        made.register_component("data_loader", Descriptions())
    return made


class Descriptions(Loader):
    """Botocore's own loader, but for what is described here.

    Rule sets for endpoints, retries and defaults are those of the botocore that Lambda brings, older or newer than ours: they
    belong to its code. What an operation takes and answers belongs to the service.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """Name the services there are, whatever `type_name` asks for. A client of another one is refused by name."""
        del type_name
        return list(SERVICES)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if type_name == "service-2" and service_name in SERVICES:
            return _described(service_name)
        return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        # With botocore's own path: it takes an endpoints.json from anywhere else for one that a customer wrote.
        return (_described(name), self.BUILTIN_DATA_PATH) if name == "endpoints" else super().load_data_with_path(name)


@cache
def _described(name: str) -> Any:
    return json.loads((DESCRIBED / f"{name}.json").read_bytes())
