"""Finds the stack a command speaks to: in AWS, or the one that `renderbell local` started.

What speaks to AWS is imported where it is used: importing it takes longer than all else that most commands do.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

import typer

from renderbell.errors import BadInputError, RenderbellError
from renderbell.view import DEFAULT_STACK
from renderbell_cli.show import hints

if TYPE_CHECKING:
    from renderbell.browse import Browse
    from renderbell.links import Links
    from renderbell.overview import Overview
    from renderbell.parameters import Parameters
    from renderbell.queues import Queue
    from renderbell.replay import Replay
    from renderbell.ring_again import RingAgain
    from renderbell.schedules import Schedule
    from renderbell.store.accounts import Accounts
    from renderbell.store.deliveries import Deliveries
    from renderbell.store.endpoints import Endpoints
    from renderbell.store.spending import SpendingStore
    from renderbell.store.videos import Videos
    from renderbell.subscribe import Subscribe

STATE_VARIABLE: Final = "RENDERBELL_LOCAL_STATE"

CONNECT: Final = 5
READ: Final = 15
ATTEMPTS: Final = 2
"""Seconds that AWS is given to connect and to answer, and how often it is asked: half a minute at most."""

LocalFlag = Annotated[bool, typer.Option("--local", help="Speak to the stack of `renderbell local`.")]
StackName = Annotated[
    str | None,
    typer.Option("--stack", envvar="RENDERBELL_STACK", help=f"Name of the stack in AWS. \\[default: {DEFAULT_STACK}]"),
]


def _was_typed(name: str, context: typer.Context | None) -> bool:
    """Say whether an option was given to a command or before it, and not by the environment."""
    if context is None:
        return False
    source = context.get_parameter_source(name)
    return (source is not None and source.name == "COMMANDLINE") or _was_typed(name, context.parent)  # type: ignore[arg-type]


class StackNotFoundError(RenderbellError):
    pass


@dataclass(frozen=True, slots=True)
class StackChoice:
    """What was said before the command: `renderbell --local videos` is `renderbell videos --local`."""

    local: bool = False
    name: str | None = None

    def in_hints(self) -> None:
        """Let the commands in hints speak to this stack, too."""
        named = f"renderbell --stack {self.name}" if self.name else "renderbell"
        hints.chosen = "renderbell --local" if self.local else named


@dataclass(frozen=True)
class Stack:
    """A deployed stack, by its outputs."""

    name: str
    outputs: Mapping[str, str]
    is_local: bool

    def __post_init__(self) -> None:
        """Let PynamoDB, which takes no Config, be as patient as `client`."""
        from pynamodb.settings import default_settings_dict

        default_settings_dict.update(
            connect_timeout_seconds=CONNECT, read_timeout_seconds=READ, max_retry_attempts=ATTEMPTS - 1
        )

    @classmethod
    def open(cls, context: typer.Context, *, local: bool, name: str | None) -> Self:
        """Return the chosen stack. Raises StackNotFoundError with what to do."""
        before: StackChoice = context.obj or StackChoice()
        chosen = StackChoice(local=local or before.local, name=name or before.name)
        chosen.in_hints()
        if chosen.local:
            if _was_typed("stack", context):
                raise BadInputError("--local is the stack that `renderbell local` started: leave --stack out, or --local")
            return cls.from_state(read_state())
        region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
        if region:  # boto3 reads the first alone, everything else of AWS the second
            os.environ["AWS_DEFAULT_REGION"] = region
        name = chosen.name or DEFAULT_STACK
        return cls(name=name, outputs=outputs_of(name), is_local=False)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the local stack that `state` describes, and point this process at its engine."""
        os.environ.update(local_environment(state["endpoint_url"], state["region"]))
        return cls(name=state["stack"], outputs=state["outputs"], is_local=True)

    def output(self, name: str) -> str:
        """Return an output. Raises StackNotFoundError where the stack was deployed by an older Renderbell, without it."""
        if name not in self.outputs:
            raise StackNotFoundError(f"the stack {self.name} is older than this command: deploy it anew with `make deploy`")
        return self.outputs[name]

    @cached_property
    def parameters(self) -> "Parameters":
        from renderbell.parameters import Parameters

        return Parameters(self.output("ParametersPrefix"), client("ssm"))

    @cached_property
    def videos(self) -> "Videos":
        from renderbell.store.videos import Videos

        return Videos(self.output("VideosTable"))

    @cached_property
    def accounts(self) -> "Accounts":
        from renderbell.store.accounts import Accounts

        return Accounts(self.output("AccountsTable"))

    @cached_property
    def endpoints(self) -> "Endpoints":
        from renderbell.store.endpoints import Endpoints

        return Endpoints(self.output("EndpointsTable"))

    @cached_property
    def delivery_queue(self) -> "Queue":
        from renderbell.queues import Queue

        return Queue(self.output("DeliveryQueueUrl"), client("sqs"))

    @cached_property
    def spending(self) -> "SpendingStore":
        from renderbell.store.spending import SpendingStore

        return SpendingStore(self.output("AccountsTable"))

    @cached_property
    def links(self) -> "Links":
        from renderbell.links import Links

        return Links(base_url=self.output("LinkUrl"), days=int(self.output("LinkDays")), tokens=self.parameters.made_tokens)

    @cached_property
    def schedules(self) -> "Mapping[str, Schedule]":
        """The providers' schedules, by the output that lists them."""
        from renderbell.schedules import schedules_of

        return schedules_of(self.output("Schedules"))

    @cached_property
    def browse(self) -> "Browse":
        from renderbell.browse import Browse

        return Browse(parameters=self.parameters, videos=self.videos)

    @cached_property
    def overview(self) -> "Overview":
        from renderbell.overview import Overview

        return Overview(
            parameters=self.parameters,
            accounts=self.accounts,
            spending=self.spending,
            poll_queue=self.poll_queue,
            schedules=self.schedules,
        )

    @cached_property
    def subscribe(self) -> "Subscribe":
        from renderbell.subscribe import Subscribe

        return Subscribe(
            endpoints=self.endpoints,
            parameters=self.parameters,
            deliveries=self.deliveries,
            queue=self.delivery_queue,
            allow_local=self.is_local,
        )

    @cached_property
    def replay(self) -> "Replay":
        from renderbell.replay import Replay

        return Replay(deliveries=self.deliveries, endpoints=self.endpoints, queue=self.delivery_queue)

    @cached_property
    def ring_again(self) -> "RingAgain":
        from renderbell.ring_again import RingAgain

        return RingAgain(
            videos=self.videos,
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            queue=self.delivery_queue,
            links=self.links,
        )

    @cached_property
    def poll_queue(self) -> "Queue":
        from renderbell.queues import Queue

        return Queue(self.output("PollQueueUrl"), client("sqs"))

    @cached_property
    def deliveries(self) -> "Deliveries":
        from renderbell.store.deliveries import Deliveries

        return Deliveries(self.output("DeliveriesTable"))


def client(service: str) -> Any:
    """Return a client of AWS that gives up while a person is still there."""
    import boto3
    from botocore.config import Config

    retries: Any = {"total_max_attempts": ATTEMPTS}
    return boto3.client(service, config=Config(connect_timeout=CONNECT, read_timeout=READ, retries=retries))  # type: ignore[call-overload]


def outputs_of(name: str) -> Mapping[str, str]:
    """Return the outputs of a stack in CloudFormation. Raises StackNotFoundError."""
    from botocore.exceptions import ClientError

    try:
        found = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise StackNotFoundError(
                f"there is no stack {name!r} in this account and region: deploy it with `make deploy`, name another with "
                "--stack, or use --local for a local one"
            ) from None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def local_environment(endpoint_url: str, region: str) -> Mapping[str, str]:
    """Return the environment in which every AWS client speaks to the local engine and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def project_folder() -> Path:
    """Return the checkout this command belongs to: the one it stands in, else the one it was installed from."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "template.yaml").is_file() and (folder / "layers" / "core").is_dir():
            return folder
    raise StackNotFoundError("this needs Renderbell's checkout: change into the folder that holds template.yaml")


def state_file() -> Path:
    """Return where the running local stack says how to reach it."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen) if chosen else project_folder() / ".renderbell" / "local.json"


def read_state() -> Mapping[str, Any]:
    """Return how to reach the running local stack. Raises StackNotFoundError where none runs."""
    found = left_state()
    if found is None:
        raise StackNotFoundError("no local stack is running: start one with `make local` or `renderbell local`")
    if not is_running(found):
        raise StackNotFoundError(
            f"no local stack is running: the last one (pid {found['pid']}) was killed. Start a new one with `make local` or "
            "`renderbell local`, which ends what that one left running, too"
        )
    return found


def left_state() -> Mapping[str, Any] | None:
    """Return what a local stack that runs, or one that was killed, says of itself."""
    try:
        return dict(json.loads(state_file().read_text()))
    except FileNotFoundError:
        return None


def is_running(state: Mapping[str, Any]) -> bool:
    """Say whether the process of a local stack lives. One that tells no process is believed."""
    try:
        os.kill(state.get("pid", os.getpid()), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
