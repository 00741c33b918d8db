import pytest

from tests.browser.chromium import CHROMIUM


@pytest.fixture(scope="session")
def chromium() -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed here: `apt-get install chromium` brings what these tests need")
