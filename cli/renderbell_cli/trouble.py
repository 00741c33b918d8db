"""Trouble with AWS: what it is beneath its wrappings, whether it passes by itself, and what a person can do about it."""

import re
from typing import Final
from urllib.parse import urlsplit

import botocore.exceptions as aws
from pynamodb.exceptions import PynamoDBException, TableDoesNotExist

AWS_ERRORS: Final = (aws.BotoCoreError, aws.ClientError, PynamoDBException)
"""All that a call to AWS raises: botocore's own, and what PynamoDB wraps these in."""

SIGN_IN: Final = (aws.SSOError, aws.TokenRetrievalError, aws.NoAuthTokenError)
LASTING: Final = (
    *(aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound),
    *(aws.NoRegionError, aws.InvalidRegionError),
    *SIGN_IN,
)
"""What a person has to mend; all other trouble on the way to AWS passes."""
BUSY: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes with which AWS asks for patience: those that botocore itself tries again."""
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
INVALID: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
MISSING: Final = frozenset(
    {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException", "TableNotFoundException"}
)
PERMISSION: Final = re.compile(r"not authorized to perform:? (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?")
BECAUSE: Final = re.compile(r"because .+", re.DOTALL)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

GONE: Final = (
    "a table or a queue of the stack is not there: it may have been deleted, or deployed to another account or region; "
    "`make deploy` makes what is missing"
)


def cause_of(error: Exception) -> Exception:
    """Return the error of AWS, out of PynamoDB's wrapping."""
    wrapped = error.cause if isinstance(error, PynamoDBException) else None
    return cause_of(wrapped) if isinstance(wrapped, Exception) else error


def passes(error: Exception) -> bool:
    """Say whether trouble with AWS passes by itself: a lost connection, throttling, its own fault. Access denied does not."""
    if isinstance(error, aws.ClientError):
        http_status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in BUSY or http_status >= 500  # noqa: PLR2004 - faults of the server
    return isinstance(error, aws.BotoCoreError) and not isinstance(error, LASTING)


def words_of(error: Exception) -> str:
    """Return what went wrong with AWS, and what to do about it."""
    cause = cause_of(error)
    match cause:
        case aws.ClientError():
            words = _refused(cause)
        case aws.NoCredentialsError() | aws.PartialCredentialsError():
            words = "no AWS credentials found: run `aws configure` or `aws sso login`, or use --local for a local stack"
        case aws.NoRegionError():
            words = "no AWS region chosen: set AWS_REGION, or run `aws configure`, or use --local for a local stack"
        case aws.ProfileNotFound():
            words = f"{cause}: `aws configure list-profiles` shows those there are; AWS_PROFILE chooses one"
        case aws.InvalidRegionError():
            words = f"{cause} Set AWS_REGION to one such as eu-central-1"
        case aws.SSOError() | aws.TokenRetrievalError() | aws.NoAuthTokenError():
            words = f"your sign-in to AWS has ended: run `aws sso login` ({cause})"
        case aws.EndpointConnectionError():
            url = str(cause.kwargs.get("endpoint_url", ""))
            words = f"AWS does not answer: {url} cannot be reached. {_reached(url)}"
        case aws.ConnectionError() | aws.HTTPClientError():
            words = f"AWS does not answer: {cause}. {_reached(str(cause.kwargs.get('endpoint_url', '')))} Try again in a minute"
        case TableDoesNotExist():
            words = GONE
        case _:
            words = str(cause) or type(cause).__name__
    return words


def _refused(error: aws.ClientError) -> str:
    code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in DENIED:
        return _denied(error.operation_name, said)
    if code in EXPIRED:
        return f"your AWS credentials have expired ({code}): get new ones, with `aws sso login` for instance"
    if code in INVALID:
        return (
            f"AWS does not accept these credentials ({code}): `aws sts get-caller-identity` shows whose they are; "
            "is this machine's clock right?"
        )
    if code in MISSING:
        return GONE
    if code in BUSY:
        return f"AWS asks for patience ({code}): try again in a minute"
    return f"AWS refused: {error}"


def _denied(operation: str, said: str) -> str:
    """Name the permission that is missing, as far as AWS says."""
    found, why = PERMISSION.search(said), BECAUSE.search(said)
    if found is None:
        return f"AWS denied {operation}: {said or 'it does not say why'}. Other credentials are chosen with AWS_PROFILE"
    where = f" on {found['resource']}" if found["resource"] else ""
    reason = f" ({why[0].rstrip('.')})" if why else ""
    return (
        f"AWS denied {operation}: these credentials lack the permission {found['action']}{where}{reason}. Have it granted, or "
        "choose others with AWS_PROFILE"
    )


def _reached(url: str) -> str:
    if urlsplit(url).hostname in LOOPBACK:
        return "Is `renderbell local` still running?"
    return "Is the network there, and the region right?"
