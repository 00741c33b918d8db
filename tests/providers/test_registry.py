"""What holds for every provider, and what a new one must bring."""

import json
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderbell.account import Account
from renderbell.errors import BadInputError, ProviderError
from renderbell.events import PROVIDER_NAMES
from renderbell.http import Answer
from renderbell.providers import PROVIDERS, provider_for
from renderbell.video import AccountName, Status
from tests.providers.fakes import KEY, KINDS, PAGES, kind_of, provider, saved
from tests.providers.listings import LISTINGS, ROWS
from tests.providers.test_pages import IDS, listing

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS: Final = sorted(
    {field for page in PAGES.glob("*.json") for field in re.findall(r'"(\w+)":', page.read_text()) if len(field) > 1}
)


def shaped(kind: str) -> st.SearchStrategy[Any]:
    """Return bodies that are listings but for a few fields, which hold anything."""
    row = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4).map(lambda odd: {**ROWS[kind]("v1"), **odd})
    beside = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3)
    return st.builds(lambda rows, odd: listing(kind, *rows, **odd), st.lists(row, max_size=2), beside)


def test_every_provider_has_a_name_for_people_and_those_who_need_only_names_need_no_provider() -> None:
    assert list(PROVIDER_NAMES) == list(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_answers_to_the_name_it_is_registered_under(name: str) -> None:
    assert provider(name).name == name


@pytest.mark.parametrize("name", ["", "sora", "TAVUS"])
def test_a_provider_nobody_wrote_is_named_in_the_refusal(name: str) -> None:
    with pytest.raises(BadInputError, match=repr(name)):
        provider_for(Account(name=AccountName(name), key=KEY))


@pytest.mark.parametrize("version", ["v1", "V1", "v3"])
def test_heygen_speaks_the_version_that_the_account_names(version: str) -> None:
    path = provider("heygen", api_version=version).page_request(None).path
    assert path == {"v1": "/v1/video.list", "v3": "/v3/videos"}[version.lower()]


def test_heygen_speaks_v3_where_the_account_names_no_version() -> None:
    assert provider("heygen").page_request(None).path == "/v3/videos"


@pytest.mark.parametrize("kind", KINDS)
def test_every_provider_has_a_saved_listing_with_videos_a_last_page_and_a_paging_style(kind: str) -> None:
    pages = [path.stem for path in PAGES.glob(f"{kind}-list-*.json") if kind_of(path.stem) == kind]
    assert any(provider(kind).page(_answer(saved(page))).sightings for page in pages)
    assert f"{kind}-list-last" in pages
    assert kind in {whose for whose, _ in LISTINGS.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_last_page_is_the_end_of_the_listing(kind: str) -> None:
    assert provider(kind).page(_answer(saved(f"{kind}-list-last"))).next is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_provider_is_asked_over_https_by_default(kind: str) -> None:
    assert provider(kind).base_url.startswith("https://")


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_of_statuses_is_in_lower_case_and_knows_how_a_video_succeeds_and_fails(kind: str) -> None:
    statuses = provider(kind).statuses
    assert all(word == word.strip().lower() for word in statuses)
    assert {Status.COMPLETED, Status.FAILED} <= set(statuses.values())


@pytest.mark.parametrize("kind", KINDS)
def test_only_videogen_documents_that_its_listing_is_newest_first(kind: str) -> None:
    assert provider(kind).newest_first == (kind == "videogen")


@pytest.mark.parametrize("kind", KINDS)
def test_no_provider_is_known_to_render_a_finished_video_again(kind: str) -> None:
    assert not provider(kind).restarts


@pytest.mark.parametrize("kind", KINDS)
def test_another_page_is_another_request(kind: str) -> None:
    spoken = provider(kind)
    assert spoken.page_request(None) != spoken.page_request("7")


@pytest.mark.parametrize("kind", KINDS)
def test_an_account_may_choose_the_size_of_a_page(kind: str) -> None:
    request = provider(kind, page_size="7").page_request(None)
    assert 7 in (request.json or request.query).values()


@pytest.mark.parametrize("kind", KINDS)
def test_every_sighting_is_on_a_page_that_names_it(kind: str) -> None:
    for path in PAGES.glob(f"{kind}-list-*.json"):
        page = provider(kind).page(_answer(saved(path.stem)))
        assert {seen.video_id for seen in page.sightings} <= set(page.ids)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_list_is_an_empty_page_and_the_end(kind: str) -> None:
    page = provider(kind).page(_answer(listing(kind)))
    assert (page.sightings, page.ids, page.next) == ([], [], None)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_whatever_a_listing_holds_is_a_page_or_an_error_of_ours(kind: str, data: st.DataObject) -> None:
    body = data.draw(shaped(kind))
    try:
        page = provider(kind).page(_answer(body))
    except ProviderError:
        return
    for seen in page.sightings:
        json.dumps([seen.title, seen.url, seen.error, seen.provider_status], ensure_ascii=False).encode()
        assert seen.video_id
        assert seen.url is None or seen.status is Status.COMPLETED
        assert seen.created_at is None or seen.created_at.tzinfo is not None


@pytest.mark.parametrize("kind", KINDS)
@given(body=st.binary(max_size=60), status=st.integers(100, 599))
def test_whatever_bytes_come_are_a_page_or_an_error_of_ours(kind: str, body: bytes, status: int) -> None:
    with pytest.raises(ProviderError):
        provider(kind).page(Answer(status=status, body=body))


@pytest.mark.parametrize("kind", KINDS)
@given(body=JSON)
def test_json_of_any_shape_with_an_error_status_is_an_error_of_ours(kind: str, body: Any) -> None:
    for status in (400, 401, 404, 429, 500):
        with pytest.raises(ProviderError):
            provider(kind).page(Answer(status=status, body=json.dumps({"error": body, "message": body}).encode()))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name_for_its_ids_here(kind: str) -> None:
    assert ROWS[kind]("v1")[IDS[kind]] == "v1"


def _answer(body: Any) -> Answer:
    return Answer(status=200, body=json.dumps(body).encode())
