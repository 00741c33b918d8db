"""The dashboard shows what the functions measure, and nothing that nobody does."""

import json
import re
from typing import Any, Final

from renderbell.polled import METRICS
from tests.template.stack import ROOT, Stack

AWS: Final = {"ApproximateNumberOfMessagesVisible"}
MEASURED: Final = {
    *METRICS,
    *(
        name
        for path in [*(ROOT / "functions").glob("*/app.py"), ROOT / "layers/core/renderbell/vitals.py"]
        for name in re.findall(r'"([A-Z][A-Za-z]+)"', path.read_text(encoding="utf-8"))
    ),
    "DeliveriesMissing",  # audit counts by status
}


def body(stack: Stack) -> dict[str, Any]:
    [dashboard] = stack.of_type("AWS::CloudWatch::Dashboard").values()
    text = stack.resolve({"Fn::Sub": dashboard["DashboardBody"]["Fn::Sub"].replace("${!", "{!")})
    return dict(json.loads(text))


def test_its_widget_is_drawn_by_the_widgets_function(stack: Stack) -> None:
    [custom] = [one for one in body(stack)["widgets"] if one["type"] == "custom"]
    assert custom["properties"]["endpoint"] == stack.arn("WidgetFunction")


def test_widgets_lie_beside_each_other_and_not_upon_each_other(stack: Stack) -> None:
    taken: set[tuple[int, int]] = set()
    for one in body(stack)["widgets"]:
        cells = {(x, y) for x in range(one["x"], one["x"] + one["width"]) for y in range(one["y"], one["y"] + one["height"])}
        assert not cells & taken, one["properties"]["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_every_figure_it_shows_is_measured(stack: Stack) -> None:
    text = json.dumps(body(stack))
    named = {word for word in re.findall(r'"([A-Z][A-Za-z]+)"', text) if word in MEASURED | AWS}
    searched = set(re.findall(r'MetricName=\\+"([A-Za-z]+)', text))
    shown = {row[1] for one in body(stack)["widgets"] for row in one["properties"].get("metrics", []) if len(row) > 2}
    assert shown - {"..."} <= MEASURED | AWS
    assert searched <= MEASURED
    assert named


def test_every_figure_that_an_alarm_watches_is_measured(stack: Stack) -> None:
    own = [
        one["MetricName"] for one in stack.of_type("AWS::CloudWatch::Alarm").values() if "Renderbell" in str(one["Namespace"])
    ]
    assert set(own) <= MEASURED
    assert len(own) == 6
