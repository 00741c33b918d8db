"""Every alarm of the template fires when its figure says so, and is over when the figure is good again."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from renderbell.account_state import AccountState
from renderbell.alerts import ALARM_WORDS, OPERATORS, AlarmAlert, alert_subject, alert_text
from renderbell.endpoints import Endpoint
from renderbell.errors import BadInputError
from renderbell.queues import DeliveryMessage, told_after
from renderbell.spending import Spending
from renderbell.video import AccountName
from renderbell.vitals import is_counted_at, of_accounts, of_endpoints
from tests.integration.world import Context, World, video
from tests.template.stack import NAME, Stack
from tests.template.world import sample

STACK: Final = Stack.read()
ALARMS: Final[Mapping[str, Mapping[str, Any]]] = {
    str(STACK.resolve(one["AlarmName"])): STACK.resolve({name: value for name, value in one.items() if name != "Tags"})
    for one in STACK.of_type("AWS::CloudWatch::Alarm").values()
}
NOW: Final = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ACCOUNT: Final = AccountName("heygen", "main")
MINUTE: Final = timedelta(minutes=1)
EVERY_MINUTE: Final = {"heygen": MINUTE, "tavus": MINUTE}


def test_every_alarm_fires_by_its_figure_and_recovers(world: World) -> None:
    del world
    cloudwatch = boto3.client("cloudwatch")
    for alarm in ALARMS.values():
        cloudwatch.put_metric_alarm(**{name: value for name, value in alarm.items() if not name.endswith("Actions")})
        window = alarm["Period"] * alarm["EvaluationPeriods"]
        put(cloudwatch, alarm, float(alarm["Threshold"]) + 1, at=time.time() - window + 8)
    assert states(cloudwatch) == dict.fromkeys(ALARMS, "ALARM")
    time.sleep(9)  # what was bad is now older than what the alarm looks at
    for alarm in ALARMS.values():
        put(cloudwatch, alarm, 0.0, at=time.time())
    assert states(cloudwatch) == dict.fromkeys(ALARMS, "OK")


def put(cloudwatch: Any, alarm: Mapping[str, Any], value: float, at: float) -> None:
    datum = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value, "Timestamp": at}
    cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])


def states(cloudwatch: Any) -> dict[str, str]:
    found = cloudwatch.describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
    return {one["AlarmName"]: one["StateValue"] for one in found}


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_calls_the_function_that_tells_operators_and_is_silent_while_nothing_is_measured(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [STACK.arn("AlarmFunction")]
    assert alarm["TreatMissingData"] == "notBreaching"
    event = sample("alarm.json")
    event["alarmData"]["alarmName"] = name
    alert = AlarmAlert.of(event, NAME)
    assert alert.kind in ALARM_WORDS, "each has words of its own"


def test_operators_are_told_in_words_and_once(world: World) -> None:
    for _ in range(2):  # CloudWatch may call twice
        world.apps["alarm"].handler(sample("alarm.json"), Context())
    world.drain("DeliveryQueue", "deliver")
    [alert] = world.alerts()
    assert alert["type"] == "alarm.accounts-unpolled"
    body = {"data": alert["data"]}
    assert alert_subject(body) == "Renderbell: An account was not polled for ten minutes (stack test)"
    assert "renderbell account list" in alert_text(body)


@pytest.mark.parametrize("before", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_is_made_anew_has_nothing_to_tell(world: World, before: str) -> None:
    event = sample("alarm.json")
    event["alarmData"]["state"]["value"], event["alarmData"]["previousState"]["value"] = "OK", before
    world.apps["alarm"].handler(event, Context())
    world.drain("DeliveryQueue", "deliver")
    assert world.alerts() == []


def test_the_time_of_an_alarm_has_to_be_one() -> None:
    with pytest.raises(BadInputError, match="yesterday"):
        AlarmAlert.of({**sample("alarm.json"), "time": "yesterday"}, NAME)


def test_operators_are_told_when_it_is_over(world: World) -> None:
    event = sample("alarm.json")
    event["alarmData"]["state"]["value"], event["alarmData"]["previousState"]["value"] = "OK", "ALARM"
    world.apps["alarm"].handler(event, Context())
    world.drain("DeliveryQueue", "deliver")
    [alert] = world.alerts()
    assert (alert["type"], alert["data"]["summary"]) == (
        "alarm.accounts-unpolled.cleared",
        "Over: an account was not polled for ten minutes",
    )


def test_an_alarm_that_somebody_added_is_told_too() -> None:
    event = sample("alarm.json")
    event["alarmData"]["alarmName"] = "test-theirs"
    assert "theirs" in json.loads(AlarmAlert.of(event, NAME).body)["data"]["summary"]
    assert json.loads(AlarmAlert.of(event, NAME).body)["data"]["remedy"] == "See CloudWatch."


# The figures.


def test_the_functions_measure_what_alarms_and_the_dashboard_show(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = world.add_account("heygen/main", video("v", born=time.time() - 30), first_look_done=True)
    world.add_endpoint()
    world.poll(account)
    world.flow()
    dispatch: Any = world.apps["dispatch"]
    world.accounts.save(world.add_account("heygen/refused"), AccountState(), AccountState(alerts={"key_refused": 1}))
    monkeypatch.setattr("renderbell.dispatch.is_counted_at", lambda *_: True)
    dispatch.handler({"deliveries": True}, Context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert {one["_aws"]["CloudWatchMetrics"][0]["Namespace"] for one in lines} == {"Renderbell/test"}
    figures = {name: value for one in lines for name, value in one.items() if isinstance(value, list)}
    assert figures["Completed"] == [1.0]
    assert 29 < figures["CompletionSeconds"][0] < 60
    assert 0 <= figures["AnnouncementSeconds"][0] < 60
    assert figures["WebhooksDelivered"] == [1.0]
    assert figures["KeysRefused"] == [1.0]
    zero = {"Failed", "Surprises", "AccountsUnpolled", "EndpointsFailing"}
    assert not figures.keys() & zero, "what is zero is not sent, for it costs by the hour"


@pytest.mark.parametrize(
    ("polled", "every", "unpolled"),
    [
        (9 * MINUTE, MINUTE, 0),
        (11 * MINUTE, MINUTE, 1),
        (60 * MINUTE, 60 * MINUTE, 0),
        (124 * MINUTE, 60 * MINUTE, 0),
        (126 * MINUTE, 60 * MINUTE, 1),
    ],
)
def test_an_account_that_no_poll_gets_through_to_is_counted(polled: timedelta, every: timedelta, unpolled: int) -> None:
    spending = {ACCOUNT: Spending(version=1, polled_at=NOW, polled_well_at=NOW - polled)}
    assert of_accounts({ACCOUNT: AccountState()}, spending, NOW, {"heygen": every})["AccountsUnpolled"] == unpolled


def test_an_account_that_was_never_polled_well_is_counted_from_its_beginning_and_a_new_one_not() -> None:
    begun = AccountState(health="auth: HTTP 401", health_since=NOW - 20 * MINUTE)
    assert of_accounts({ACCOUNT: begun}, {}, NOW, EVERY_MINUTE)["AccountsUnpolled"] == 1
    assert of_accounts({ACCOUNT: AccountState()}, {}, NOW, EVERY_MINUTE)["AccountsUnpolled"] == 0


def test_where_nobody_knows_when_the_next_tick_is_no_poll_is_late() -> None:
    spending = {ACCOUNT: Spending(version=1, polled_at=NOW, polled_well_at=NOW - timedelta(days=3))}
    assert of_accounts({ACCOUNT: AccountState()}, spending, NOW, {"heygen": None})["AccountsUnpolled"] == 0


def test_a_key_is_counted_as_long_as_it_is_refused() -> None:
    raised, cleared = AccountState(alerts={"key_refused": 3}), AccountState(alerts={"key_refused": 4})
    assert of_accounts({ACCOUNT: raised, AccountName("tavus"): cleared}, {}, NOW, EVERY_MINUTE)["KeysRefused"] == 1


def test_an_endpoint_is_counted_when_it_fails_for_an_hour_or_is_disabled_and_not_while_it_is_paused() -> None:
    failing = Endpoint(endpoint_id="ep_1", url="https://a.example", failing_since=NOW - timedelta(hours=1))
    kinds = {
        1: [failing, replace(failing, failing_since=None, disabled_at=NOW, disabled_reason="gone")],
        0: [replace(failing, failing_since=NOW - 59 * MINUTE), replace(failing, paused_at=NOW)],
    }
    for count, endpoints in kinds.items():
        for endpoint in endpoints:
            assert of_endpoints([endpoint], NOW) == {"EndpointsFailing": count}


def test_figures_are_counted_at_one_tick_in_five() -> None:
    assert sum(is_counted_at(NOW + minute * MINUTE) for minute in range(60)) == 12


def test_how_late_an_announcement_is_can_be_told_of_an_event_that_its_message_brings() -> None:
    body = json.dumps({"timestamp": "2026-11-25T11:58:00Z"})
    message = DeliveryMessage(endpoint_id="topic", event_id="evt_1", event_type="video.completed", body=body)
    assert told_after(message, NOW) == 120.0
    assert told_after(replace(message, body=None), NOW) is None
    assert told_after(replace(message, event_type="account.key_refused", endpoint_id=OPERATORS), NOW) is None
