"""The real sources, as they are today. Left out unless asked for: `pytest -m live`."""

from datetime import UTC, datetime

import pytest

from pipelines.config import Config
from pipelines.sources.base import Quote
from pipelines.sources.http import fetch
from pipelines.sources.registry import PRICE_SOURCES

POLLED = [source for source in PRICE_SOURCES if source.live_url is not None]


@pytest.mark.live
@pytest.mark.parametrize("source", POLLED, ids=lambda source: source.name)
def test_a_source_answers_with_prices_that_parse(source):
    answer = fetch(source.live_url, contact=Config.from_environment().contact)
    assert answer.payload is not None
    parsed = list(source.parse(source.decode(answer.payload), datetime.now(UTC).date()))
    quotes = [item for item in parsed if isinstance(item, Quote)]
    assert len(quotes) > 100
    # A feed that changes its shape shows first in what is held back.
    assert len(quotes) > 10 * (len(parsed) - len(quotes))
