"""Polling, against a server on this machine: what becomes a snapshot, what becomes history, what is held back."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from werkzeug import Response

from pipelines import paths
from pipelines.paths import Home
from pipelines.schema import raw
from pipelines.schema.catalog import BY_NAME
from pipelines.schema.ddl import create_table
from pipelines.sources import http
from pipelines.sources.base import Snapshot
from pipelines.sources.genai_prices import GENAI_PRICES
from pipelines.warehouse.archive import Archive
from pipelines.warehouse.build import fill_from_frame, fill_from_select
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.ingest import known_snapshots, parse_price_source, take_snapshots
from pipelines.warehouse.sql import table_selects

FIRST_SEEN = datetime(2026, 11, 9, tzinfo=UTC)
POLLED = datetime(2026, 11, 20, 6, tzinfo=UTC)
POLLED_AGAIN = datetime(2026, 11, 21, 6, tzinfo=UTC)


def payload(*models):
    listed = [{"id": name, "prices": {"input_mtok": amount, "output_mtok": 2}} for name, amount in models]
    return json.dumps([{"id": "grove", "name": "Grove", "models": listed}]).encode()


EMBEDDED = payload(("sprout-1", 0.5), ("willow-2", 3))
LIVE = payload(("sprout-1", 0.25), ("willow-2", 3))


class Feed:
    """A warehouse with one source, polled from a server on this machine."""

    def __init__(self, connection, archive, server):
        self.connection, self.archive = connection, archive
        self.url = server.url_for("/data.json")
        self.source = dataclasses.replace(
            GENAI_PRICES, embedded=lambda: Snapshot(EMBEDDED, FIRST_SEEN, "embedded in this test"), live_url=self.url
        )

    def fetch(self, url, etag, last_modified):
        return http.fetch(url, contact="tests", etag=etag, last_modified=last_modified, retries=0, allow_http=True)

    def poll(self, now=POLLED):
        return take_snapshots(self.connection, self.archive, self.source, fetch=self.fetch, now=now)

    def outcomes(self):
        return self.connection.execute(
            "select outcome, snapshot_sha256 is not null, coalesce(detail, '') from meta.fetch order by fetched_at"
        ).fetchall()

    def prices(self):
        """Build the history of what the source says, as a run does."""
        snapshots = known_snapshots(self.connection, self.source.name)
        quotes, held = parse_price_source(self.archive, snapshots, self.source)
        assert held == []
        interval = BY_NAME["core.quoted_price_interval"]
        for table, fill in (
            (raw.GENAI_PRICES, fill_from_frame(quotes)),
            (interval, fill_from_select(table_selects(paths.SQL)[interval.qualified])),
        ):
            for statement in create_table(table):
                self.connection.execute(statement)
            fill(self.connection, table)
        return self.connection.execute(
            """
            select source_model_id, usd_per_mtok::double, valid_from, valid_to, known_from, known_to
            from core.quoted_price_interval
            where meter = 'input'
            order by source_model_id, known_from, valid_to nulls last
            """
        ).fetchall()


@pytest.fixture
def feed(tmp_path, httpserver):
    home = Home(tmp_path / "my home")
    with open_warehouse(home) as connection:
        yield Feed(connection, Archive(home.archive), httpserver)


def naive(instant):
    return instant.replace(tzinfo=None)


def test_a_new_payload_becomes_a_second_snapshot_and_closes_what_was_known(feed, httpserver):
    httpserver.expect_request("/data.json").respond_with_data(LIVE, headers={"ETag": '"v2"'})
    assert feed.poll() is None
    assert feed.outcomes() == [("new", True, ""), ("new", True, "")]
    snapshots = known_snapshots(feed.connection, feed.source.name)
    assert [feed.archive.get(snapshot.sha256) for snapshot in snapshots] == [EMBEDDED, LIVE]
    assert [snapshot.observed_at for snapshot in snapshots] == [FIRST_SEEN, POLLED]
    seen, polled = naive(FIRST_SEEN), naive(POLLED)
    assert feed.prices() == [
        # Until the poll the price was open; since then we know that it ended.
        ("sprout-1", 0.5, seen.date(), None, seen, polled),
        ("sprout-1", 0.5, seen.date(), polled.date(), polled, None),
        ("sprout-1", 0.25, polled.date(), None, polled, None),
        ("willow-2", 3.0, seen.date(), None, seen, None),
    ]


def test_the_same_payload_and_a_304_add_no_snapshot(feed, httpserver):
    httpserver.expect_ordered_request("/data.json").respond_with_data(EMBEDDED, headers={"ETag": '"v1"'})
    httpserver.expect_ordered_request("/data.json", headers={"If-None-Match": '"v1"'}).respond_with_data(status=304)
    assert feed.poll() is None
    assert feed.poll(POLLED_AGAIN) is None
    httpserver.check_assertions()
    assert [outcome for outcome, *_ in feed.outcomes()] == ["new", "unchanged", "unchanged"]
    assert len(known_snapshots(feed.connection, feed.source.name)) == 1


def _cut_off(_request):
    answer = Response(LIVE[: len(LIVE) // 2], content_type="application/json")
    answer.headers["Content-Length"] = str(len(LIVE))
    return answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: Response("oops", status=500), "answered 500"),
        (lambda _: Response("gone", status=404), "answered 404"),
        (lambda _: Response("<html><body>Please log in</body></html>", content_type="text/html"), "Expecting value"),
        (_cut_off, ""),
        (lambda _: Response(LIVE[: len(LIVE) // 2]), ""),
        (lambda _: Response(b""), "empty"),
        (lambda _: Response(b"[]"), "expected a list of providers"),
        (lambda _: Response(b'{"message": "rate limited"}'), "expected a list of providers"),
        (lambda _: Response(b'[{"id": "a", "id": "b", "models": []}]'), "repeated keys"),
    ],
    ids=[
        "500",
        "404",
        "html",
        "connection cut",
        "half a file",
        "empty",
        "no providers",
        "another shape",
        "twice a key",
    ],
)
def test_a_bad_answer_keeps_the_last_good_data_and_is_recorded(feed, httpserver, answer, said):
    httpserver.expect_ordered_request("/data.json").respond_with_data(LIVE)
    httpserver.expect_ordered_request("/data.json").respond_with_handler(answer)
    assert feed.poll() is None
    good = feed.prices()
    failure = feed.poll(POLLED_AGAIN)
    assert failure is not None
    assert failure.startswith("genai_prices: ")
    assert "\n" not in failure
    outcomes = feed.outcomes()
    assert [outcome for outcome, *_ in outcomes] == ["new", "new", "failed"]
    assert outcomes[-1][2] in failure
    assert len(known_snapshots(feed.connection, feed.source.name)) == 2
    assert feed.prices() == good
    assert said in failure


def test_a_server_that_is_not_there_is_a_failed_poll(feed):
    feed.source = dataclasses.replace(feed.source, live_url="http://127.0.0.1:9/data.json")
    failure = feed.poll()
    assert failure is not None
    assert "http://127.0.0.1:9/data.json" in failure
    assert [outcome for outcome, *_ in feed.outcomes()] == ["new", "failed"]
    assert len(feed.prices()) == 2
