"""Asks the function `fetch`, which may read keys, on behalf of those that may not."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renderbell.fresh import Fresh
from renderbell.video import AccountName

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Asking:
    function: str
    functions: "LambdaClient"

    def __call__(self, account: AccountName, video_id: str) -> Fresh:
        """Return what the provider gives now, or why it gives nothing. A fault of `fetch` is an answer, too."""
        payload = json.dumps({"account": str(account), "video_id": video_id})
        answer = self.functions.invoke(FunctionName=self.function, Payload=payload)
        if answer.get("FunctionError"):
            return Fresh(error="fault", message="the function that asks providers failed: its log says why")
        return Fresh.read(json.load(answer["Payload"]))
