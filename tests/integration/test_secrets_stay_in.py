"""No key, no signing secret and no e-mail address in a log, whatever level Lambda gives the root logger, nor in a table."""

import logging
import time

import pytest

from renderbell.batch import BatchError
from renderbell_cli.receiver import Answer
from renderbell_cli.simulator import http_error
from tests.integration.world import FUNCTIONS, Context, World, video

E_MAIL = "someone@example.com"


def test_at_debug_neither_keys_nor_secrets_nor_addresses_reach_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    assert all(world.apps[name] for name in FUNCTIONS)
    for name in (None, *FUNCTIONS):  # what awslambdaric does to the root logger with ApplicationLogLevel
        caplog.set_level(logging.DEBUG, name)
    account = world.add_account("pixverse/main", first_look_done=True, email=E_MAIL)
    key = world.parameters.account(account)
    assert key is not None
    endpoint = world.add_endpoint()
    private = world.parameters.endpoint_private(endpoint)
    assert private is not None
    secret = private.secrets.current
    world.receiver.answers.add("/hook", Answer(status=500))
    world.library(account).add(video(f"user:1-pixverse:{E_MAIL}-video:7", born=time.time() - 5))
    world.poll(account)
    world.flow()
    world.simulator.faults.add(http_error(500, body={"error": f"no user {E_MAIL}"}), provider="pixverse")
    world.poll(account)
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "polled" in logged
    for secret_text in (key.key, secret, secret.removeprefix("whsec_"), E_MAIL):
        assert secret_text not in logged
    assert E_MAIL not in str(world.accounts.state(account).health)
    assert "***@***" in str(world.accounts.state(account).health)


def test_a_record_that_fails_is_named_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("deliver").setLevel(logging.INFO)
    event = {"Records": [{"messageId": "m", "body": "not JSON", "eventSource": "aws:sqs", "attributes": {}}]}
    with pytest.raises(BatchError, match="the log says why"):
        world.apps["deliver"].handler(event, Context())
    assert "a message needs a JSON object with endpoint_id" in caplog.text
