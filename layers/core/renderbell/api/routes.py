"""The API's routes: what each asks, and whom. What they promise stands with the use cases that they call."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import BeforeValidator

from renderbell.api import models
from renderbell.api.problems import ProblemError
from renderbell.audit import Audit
from renderbell.browse import Browse, Wanted, video_fields
from renderbell.deliveries import DeliveryStatus
from renderbell.errors import BadInputError, NotOnRecordError
from renderbell.events import PROVIDER_NAMES, masked
from renderbell.fresh import Fresh
from renderbell.overview import Overview, account_fields
from renderbell.replay import Chosen, Replay, delivery_fields
from renderbell.ring_again import RingAgain
from renderbell.subscribe import NewEndpoint, Subscribe, endpoint_fields
from renderbell.values import iso
from renderbell.video import AccountName, Status

MOST: Final = 100
STATISTICS_SINCE: Final = timedelta(days=7)
SUMMARY_SINCE: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=30)


def _known_provider(word: str) -> str:
    if word not in PROVIDER_NAMES:
        raise ValueError(f"one of {', '.join(PROVIDER_NAMES)}")
    return word


# A path's parts arrive percent-encoded: they are decoded here, once.
KnownProvider = Annotated[str, BeforeValidator(_known_provider)]
Provider = Annotated[KnownProvider, Path(json_schema_extra={"enum": list(PROVIDER_NAMES)})]
NAME: Final = r"^[A-Za-z0-9_.-]+$"
Name = Annotated[str, BeforeValidator(unquote), Path(max_length=200, pattern=NAME, description="The account's name alone.")]
VideoId = Annotated[str, BeforeValidator(unquote), Path(max_length=1024, description="The provider's own id, percent-encoded.")]
EndpointId = Annotated[str, BeforeValidator(unquote), Path(max_length=200)]
EventId = Annotated[str, BeforeValidator(unquote), Path(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="At most this many.")]
Cursor = Annotated[str | None, Query(max_length=4000, description="From the page before.")]
Since = Annotated[models.TakenTime | None, Query(description="Only since then; RFC 3339, in UTC unless it says otherwise.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that the API asks."""

    browse: Browse
    ring_again: RingAgain
    subscribe: Subscribe
    replay: Replay
    overview: Overview
    audit: Audit
    fetch: Callable[[AccountName, str], Fresh]
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One request that is answered. `problems` are the HTTP statuses it may end with beside 422 and 500."""

    method: str
    path: str
    name: str
    summary: str
    answer: Callable[..., Any]
    status: int = 200
    problems: Sequence[int] = ()

    @property
    def tag(self) -> str:
        return self.path.split("/")[1]


def routes(desk: Desk) -> Sequence[Route]:
    return [*video_routes(desk), *endpoint_routes(desk), *delivery_routes(desk), *account_routes(desk)]


def video_routes(desk: Desk) -> Sequence[Route]:
    def list_videos(
        provider: Annotated[KnownProvider | None, Query(json_schema_extra={"enum": list(PROVIDER_NAMES)})] = None,
        account: Annotated[
            str | None, Query(max_length=200, pattern=r"^[a-z]+/[A-Za-z0-9_.-]+$", description="As `heygen/marketing`.")
        ] = None,
        status: Annotated[Status | None, Query()] = None,
        since: Since = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> models.VideoPage:
        name = None if account is None else AccountName.parse(account)
        wanted = Wanted(provider=provider, account=name, status=status, since=_utc(since))
        page = desk.browse.page(wanted, limit=limit, cursor=cursor)
        return models.VideoPage(videos=[models.Video(**video_fields(video)) for video in page.videos], cursor=page.cursor)

    def get_video(provider: Provider, account: Name, video_id: VideoId) -> models.VideoWithHistory:
        found = desk.browse.history(_account(provider, account), video_id)
        if found is None:
            raise NotOnRecordError(f"no video {masked(video_id)} of {provider}/{account} is on record")
        video, history = found
        lines = [models.Transition(**{**asdict(line), "at": iso(line.at)}) for line in history]
        return models.VideoWithHistory(**video_fields(video), history=lines)

    def announce_video(provider: Provider, account: Name, video_id: VideoId) -> models.Rung:
        return models.Rung(**asdict(desk.ring_again.ring(_account(provider, account), video_id, desk.now())))

    def get_fresh_url(provider: Provider, account: Name, video_id: VideoId) -> models.FreshUrl:
        name = _account(provider, account)
        if desk.browse.history(name, video_id) is None:
            raise NotOnRecordError(f"no video {masked(video_id)} of {name} is on record")
        return _fresh_url(desk.fetch(name, video_id))

    video = "/videos/<provider>/<account>/<video_id>"
    return [
        Route(method="GET", path="/videos", name="listVideos", answer=list_videos, problems=[400],
              summary="Videos on record: those in flight first, then those that ended, each newest first"),
        Route(method="GET", path=video, name="getVideo", answer=get_video, problems=[400, 404],
              summary="One video, with each of its transitions"),
        Route(method="POST", path=f"{video}/announce", name="announceVideo", answer=announce_video, status=202,
              problems=[400, 404, 409], summary="Ring again for a video that has ended"),
        Route(method="GET", path=f"{video}/link", name="getFreshUrl", answer=get_fresh_url,
              problems=[400, 404, 409, 410, 502, 503], summary="The video's URL, asked of its provider now"),
    ]  # fmt: skip


def endpoint_routes(desk: Desk) -> Sequence[Route]:
    def list_endpoints() -> models.EndpointList:
        return models.EndpointList(
            endpoints=[models.Endpoint(**endpoint_fields(one)) for one in desk.subscribe.endpoints.all()]
        )

    def add_endpoint(new: Annotated[models.NewEndpoint, Body()]) -> models.AddedEndpoint:
        filters = {name: frozenset(getattr(new, name)) for name in ("events", "providers", "accounts")}
        endpoint, secret = desk.subscribe.add(NewEndpoint(**{**new.model_dump(), **filters}), desk.now())
        return models.AddedEndpoint(**endpoint_fields(endpoint), secret=secret)

    def get_endpoint(endpoint_id: EndpointId) -> models.Endpoint:
        return models.Endpoint(**endpoint_fields(desk.subscribe.get(endpoint_id)))

    def remove_endpoint(endpoint_id: EndpointId) -> models.Endpoint:
        endpoint = desk.subscribe.get(endpoint_id)
        desk.subscribe.remove(endpoint_id, desk.now())
        return models.Endpoint(**endpoint_fields(endpoint))

    def pause_endpoint(endpoint_id: EndpointId) -> models.Endpoint:
        return models.Endpoint(**endpoint_fields(desk.subscribe.pause(endpoint_id, desk.now())))

    def resume_endpoint(endpoint_id: EndpointId) -> models.Endpoint:
        return models.Endpoint(**endpoint_fields(desk.subscribe.resume(endpoint_id)))

    def rotate_secret(endpoint_id: EndpointId) -> models.Secret:
        return models.Secret(id=endpoint_id, secret=desk.subscribe.rotate(endpoint_id, desk.now()))

    def test_endpoint(endpoint_id: EndpointId) -> models.Trial:
        return models.Trial(**asdict(desk.subscribe.test(endpoint_id, desk.now())))

    one = "/endpoints/<endpoint_id>"
    return [
        Route(method="GET", path="/endpoints", name="listEndpoints", answer=list_endpoints,
              summary="The URLs that receive events"),
        Route(method="POST", path="/endpoints", name="addEndpoint", answer=add_endpoint, status=201, problems=[400, 415],
              summary="Add an endpoint; its secret is told this once"),
        Route(method="GET", path=one, name="getEndpoint", answer=get_endpoint, problems=[404], summary="One endpoint"),
        Route(method="DELETE", path=one, name="removeEndpoint", answer=remove_endpoint, problems=[404],
              summary="Remove an endpoint; what is on its way to it is skipped"),
        Route(method="POST", path=f"{one}/pause", name="pauseEndpoint", answer=pause_endpoint, problems=[404],
              summary="Hold its events, up to 30 days"),
        Route(method="POST", path=f"{one}/resume", name="resumeEndpoint", answer=resume_endpoint, problems=[404],
              summary="Send what was held, and all that follows"),
        Route(method="POST", path=f"{one}/rotate", name="rotateSecret", answer=rotate_secret, problems=[400, 404],
              summary="Make a new secret; the old one signs beside it for 24 hours"),
        Route(method="POST", path=f"{one}/test", name="testEndpoint", answer=test_endpoint, problems=[404],
              summary="Send a test event now and say how it went"),
    ]  # fmt: skip


def delivery_routes(desk: Desk) -> Sequence[Route]:
    def list_deliveries(
        endpoint: Annotated[
            str | None, Query(min_length=1, max_length=200, description="`topic` and `operators` are SNS.")
        ] = None,
        status: Annotated[DeliveryStatus | None, Query()] = None,
        since: Since = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> models.DeliveryPage:
        chosen = Chosen(endpoint_id=endpoint, status=status, since=_utc(since))
        found, following = desk.replay.page(chosen, limit, cursor)
        return models.DeliveryPage(deliveries=[models.Delivery(**delivery_fields(one)) for one in found], cursor=following)

    def get_deliveries(event_id: EventId) -> models.DeliveryList:
        found = sorted(desk.replay.found(Chosen(event_id=event_id)), key=lambda one: one.endpoint_id)
        if not found:
            raise NotOnRecordError(f"no delivery of {event_id!r} is on record")
        return models.DeliveryList(deliveries=[models.Delivery(**delivery_fields(one)) for one in found])

    def summarize_deliveries(since: Since = None) -> models.DeliverySummary:
        now = desk.now()
        return models.DeliverySummary(**desk.audit.run(now, _utc(since) or now - SUMMARY_SINCE, mends=False))

    def replay_deliveries(order: Annotated[models.ReplayOrder, Body()]) -> models.Replayed:
        if order.event_id is None and (order.endpoint is None or order.since is None):
            raise BadInputError("say what to send again: an event_id, or an endpoint and since when")
        since = _utc(order.since)
        chosen = Chosen(event_id=order.event_id, endpoint_id=order.endpoint, status=order.status, since=since)
        plan = desk.replay.plan(chosen)
        sent = 0 if order.dry_run else desk.replay.send(plan, desk.now())
        return models.Replayed(sent=sent, would_send=len(plan.waiting), left=len(plan.left), on_their_way=plan.pending)

    return [
        Route(method="GET", path="/deliveries", name="listDeliveries", answer=list_deliveries, problems=[400, 404],
              summary="Deliveries, endpoint by endpoint, in no order of time"),
        Route(method="GET", path="/deliveries/summary", name="summarizeDeliveries", answer=summarize_deliveries,
              summary="How the deliveries of every event stand, since a day ago unless said"),
        Route(method="GET", path="/deliveries/<event_id>", name="getDeliveries", answer=get_deliveries, problems=[404],
              summary="Every attempt at one event"),
        Route(method="POST", path="/deliveries/replay", name="replayDeliveries", answer=replay_deliveries, status=202,
              problems=[400, 404, 415], summary="Send an event again, or everything of an endpoint since a time"),
    ]  # fmt: skip


def account_routes(desk: Desk) -> Sequence[Route]:
    def list_accounts() -> models.AccountList:
        now = desk.now()
        return models.AccountList(accounts=[models.Account(**account_fields(one, now)) for one in desk.overview.all(now)])

    def poll_account(provider: Provider, account: Name) -> models.Accepted:
        name = _account(provider, account)
        desk.overview.poll(name)
        return models.Accepted(account=str(name))

    def get_statistics(since: Since = None) -> models.StatisticsList:
        now = desk.now()
        begins = max(_utc(since) or now - STATISTICS_SINCE, now - LONGEST)
        found = (desk.browse.statistics(provider, begins) for provider in PROVIDER_NAMES)
        providers = [models.ProviderStatistics(**asdict(one)) for one in found]
        return models.StatisticsList(since=str(iso(begins)), providers=providers)

    return [
        Route(method="GET", path="/accounts", name="listAccounts", answer=list_accounts,
              summary="The accounts that are watched, how they fare and what they cost"),
        Route(method="POST", path="/accounts/<provider>/<account>/poll", name="pollAccount", answer=poll_account, status=202,
              problems=[400, 404], summary="Look at an account now"),
        Route(method="GET", path="/stats", name="getStatistics", answer=get_statistics,
              summary="By provider: how many, how long, how many fail; since a week ago unless said, at most 30 days"),
    ]  # fmt: skip


def _account(provider: str, name: str) -> AccountName:
    return AccountName.parse(f"{provider}/{name}")


def _utc(given: datetime | None) -> datetime | None:
    if given is None:
        return None
    try:
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except OverflowError:
        raise BadInputError("that time lies beyond the calendar") from None


def _fresh_url(fresh: Fresh) -> models.FreshUrl:
    """Return the URL, or raise why there is none."""
    if fresh.url is not None:
        return models.FreshUrl(url=fresh.url, url_expires_at=fresh.url_expires_at)
    if fresh.error is None and fresh.status != "deleted":
        words = "the provider hands out no address for it" if fresh.status == "completed" else f"the video is {fresh.status}"
        raise ProblemError(409, words)
    match fresh.error:
        case None | "not_found":
            raise ProblemError(410, fresh.message or "the video is no longer at its provider")
        case "not_watched":
            raise ProblemError(404, fresh.message or "")
        case "rate_limited":
            raise ProblemError(503, fresh.message or "", {"Retry-After": str(round(fresh.retry_after or 60))})
        case _:
            raise ProblemError(502, fresh.message or "")
