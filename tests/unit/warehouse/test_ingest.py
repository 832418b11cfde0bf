"""Taking snapshots: archive first, last good data kept, unchanged data not taken twice."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from pipelines.errors import FreefallError
from pipelines.paths import Home
from pipelines.sources.base import Fetched, Origin, PriceSource, Quote, Snapshot
from pipelines.sources.genai_prices import decode, parse
from pipelines.warehouse.archive import Archive
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.ingest import (
    known_snapshots,
    last_validators,
    parse_price_source,
    replace_quarantine,
    take_snapshots,
)

START = datetime(2026, 11, 10, 6, tzinfo=UTC)
URL = "https://example.com/prices.json"


def payload(amount):
    return f'[{{"id": "grove", "models": [{{"id": "sprout", "prices": {{"input_mtok": {amount}}}}}]}}]'.encode()


EMBEDDED = Snapshot(payload(5), datetime(2026, 11, 9, tzinfo=UTC), "python package")


def source(**changed):
    fields = {
        "name": "genai_prices",
        "origin": Origin("Grove", "prices", URL, "MIT"),
        "parse": parse,
        "decode": decode,
        "embedded": lambda: EMBEDDED,
        "live_url": URL,
    }
    return PriceSource(**(fields | changed))


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "archive")


@pytest.fixture
def connection(tmp_path):
    with open_warehouse(Home(tmp_path)) as opened:
        yield opened


class Polls:
    """A server that gives its answers in turn, and a clock that moves a day per poll."""

    def __init__(self, connection, archive, *answers, price_source=None):
        self.asked = []
        self.answers = list(answers)
        self.connection, self.archive, self.source = connection, archive, price_source or source()
        self.count = 0

    def fetch(self, url, etag, last_modified):
        self.asked.append((url, etag, last_modified))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def poll(self):
        now = START + timedelta(days=self.count)
        self.count += 1
        return take_snapshots(self.connection, self.archive, self.source, fetch=self.fetch, now=now)

    def outcomes(self):
        return [
            row[0]
            for row in self.connection.execute(
                "select outcome from meta.fetch where url = ? order by fetched_at", [URL]
            ).fetchall()
        ]

    def amounts(self):
        """Prices of the snapshots in use, oldest first."""
        frame, _ = parse_price_source(self.archive, known_snapshots(self.connection, "genai_prices"), self.source)
        return [float(amount) for amount in frame.sort("observed_at")["usd_per_mtok"]]


def test_without_polling_the_embedded_snapshot_is_stored_once(connection, archive):
    for _ in range(2):
        assert take_snapshots(connection, archive, source(), fetch=None, now=START) is None
    (known,) = known_snapshots(connection, "genai_prices")
    assert known.sha256 == hashlib.sha256(EMBEDDED.payload).hexdigest()
    assert (known.observed_at, known.url) == (EMBEDDED.observed_at, "python package")
    assert archive.get(known.sha256) == EMBEDDED.payload


def test_a_new_payload_is_a_snapshot_of_the_instant_of_the_poll(connection, archive):
    polls = Polls(connection, archive, Fetched(payload(4), '"v1"', None))
    assert polls.poll() is None
    assert [known.observed_at for known in known_snapshots(connection, "genai_prices")] == [EMBEDDED.observed_at, START]
    assert polls.outcomes() == ["new"]
    assert polls.amounts() == [5, 4]


def test_the_validators_of_the_last_answer_are_sent_with_the_next_poll(connection, archive):
    polls = Polls(connection, archive, Fetched(payload(4), '"v1"', "Tue"), Fetched(None, '"v1"', "Tue"))
    polls.poll()
    polls.poll()
    assert polls.asked == [(URL, None, None), (URL, '"v1"', "Tue")]


def test_304_is_unchanged_and_adds_no_snapshot(connection, archive):
    polls = Polls(connection, archive, Fetched(payload(4), '"v1"', None), Fetched(None, '"v1"', None))
    polls.poll()
    assert polls.poll() is None
    assert polls.outcomes() == ["new", "unchanged"]
    assert polls.amounts() == [5, 4]


def test_the_same_bytes_again_are_unchanged(connection, archive):
    polls = Polls(connection, archive, *[Fetched(payload(4), None, None)] * 3)
    for _ in range(3):
        assert polls.poll() is None
    assert polls.outcomes() == ["new", "unchanged", "unchanged"]
    assert polls.amounts() == [5, 4]


def test_a_list_that_goes_back_to_former_bytes_is_a_new_snapshot(connection, archive):
    polls = Polls(connection, archive, *(Fetched(payload(amount), None, None) for amount in (4, 3, 4)))
    for _ in range(3):
        assert polls.poll() is None
    assert polls.outcomes() == ["new", "new", "new"]
    assert polls.amounts() == [5, 4, 3, 4]


def test_a_failed_poll_keeps_the_last_good_data_and_says_why(connection, archive):
    polls = Polls(connection, archive, Fetched(payload(4), '"v1"', None), FreefallError(f"{URL}: answered 500"))
    polls.poll()
    assert polls.poll() == f"genai_prices: {URL}: answered 500"
    assert polls.outcomes() == ["new", "failed"]
    assert connection.execute("select detail from meta.fetch where outcome = 'failed'").fetchall() == [
        (f"{URL}: answered 500",)
    ]
    assert polls.amounts() == [5, 4]


def test_a_failed_poll_does_not_spoil_the_next_conditional_one(connection, archive):
    answers = (Fetched(payload(4), '"v1"', None), FreefallError("down"), Fetched(None, '"v1"', None))
    polls = Polls(connection, archive, *answers)
    for _ in range(3):
        polls.poll()
    assert polls.asked[2] == (URL, '"v1"', None)


@pytest.mark.parametrize(
    "damaged", [b"<html>sorry</html>", b"{}", b"[]", b'[{"id": "grove"}]', b"\xff\xfe", b"[" * 100_000]
)
def test_a_payload_that_cannot_be_parsed_is_archived_but_not_used(connection, archive, damaged):
    polls = Polls(connection, archive, Fetched(payload(4), '"v1"', None), Fetched(damaged, '"v2"', None))
    polls.poll()
    assert polls.poll().startswith("genai_prices: ")
    assert archive.get(hashlib.sha256(damaged).hexdigest()) == damaged
    assert polls.outcomes() == ["new", "failed"]
    assert polls.amounts() == [5, 4]
    # Its ETag is not remembered, so the next poll gets the whole answer again.
    assert last_validators(connection, "genai_prices") == ('"v1"', None)


def test_a_source_without_a_live_address_is_not_polled(connection, archive):
    polls = Polls(connection, archive, price_source=source(live_url=None))
    assert polls.poll() is None
    assert polls.asked == []


def test_a_source_without_an_embedded_snapshot_begins_with_its_first_poll(connection, archive):
    polls = Polls(connection, archive, Fetched(payload(4), None, None), price_source=source(embedded=None))
    polls.poll()
    assert polls.amounts() == [4]


def test_two_polls_in_one_instant_leave_one_row(connection, archive):
    for _ in range(2):
        take_snapshots(connection, archive, source(), fetch=lambda *_: Fetched(payload(4), None, None), now=START)
    assert connection.execute("select count(*) from meta.fetch where url = ?", [URL]).fetchall() == [(1,)]
    assert len(known_snapshots(connection, "genai_prices")) == 2


def test_parsing_gives_the_rows_of_the_raw_table(connection, archive):
    take_snapshots(connection, archive, source(), fetch=None, now=START)
    snapshots = known_snapshots(connection, "genai_prices")
    frame, held = parse_price_source(archive, snapshots, source())
    assert held == []
    assert frame.to_dicts() == [
        {
            "snapshot_sha256": snapshots[0].sha256,
            "observed_at": datetime(2026, 11, 9),  # noqa: DTZ001
            "provider": "grove",
            "source_model_id": "sprout",
            "meter": "input",
            "tier_min_tokens": 0,
            "usd_per_mtok": Decimal("5.000000000"),
            "unit": "USD per million tokens",
            "amount_original": "5",
            "currency": "USD",
            "effective_from": None,
            "effective_to": None,
        }
    ]


def test_what_is_held_back_comes_with_its_snapshot(connection, archive):
    bad = source(embedded=lambda: Snapshot(payload(-1), EMBEDDED.observed_at, "python package"))
    take_snapshots(connection, archive, bad, fetch=None, now=START)
    frame, held = parse_price_source(archive, known_snapshots(connection, "genai_prices"), bad)
    assert frame.is_empty()
    assert [(sha256, rule) for sha256, _, _, rule, _ in held] == [
        (hashlib.sha256(payload(-1)).hexdigest(), "negative_or_not_finite")
    ]


def test_a_stored_payload_that_todays_parser_refuses_is_named(connection, archive):
    take_snapshots(connection, archive, source(), fetch=None, now=START)

    def strict(_payload, _vintage):
        raise ValueError("expected another shape")

    with pytest.raises(FreefallError, match=r"genai_prices: snapshot [0-9a-f]{12}: expected another shape"):
        parse_price_source(archive, known_snapshots(connection, "genai_prices"), source(parse=strict))


def test_a_snapshot_is_parsed_with_its_own_day(connection, archive):
    seen = []

    def remember(_payload, vintage):
        seen.append(vintage)
        yield Quote("grove", "sprout", "input", 0, Decimal(1), "USD per million tokens", "1", "USD", None, None)

    polls = Polls(connection, archive, Fetched(payload(4), None, None), price_source=source(parse=remember))
    polls.poll()
    seen.clear()
    parse_price_source(archive, known_snapshots(connection, "genai_prices"), polls.source)
    assert seen == [date(2026, 11, 9), date(2026, 11, 10)]


def test_the_quarantine_of_a_source_is_replaced_as_a_whole(connection):
    replace_quarantine(connection, "genai_prices", [("a", "place", "-1", "rule", "reason")])
    replace_quarantine(connection, "other", [("b", "place", "-1", "rule", "reason")])
    replace_quarantine(connection, "genai_prices", [("c", "place", "-2", "rule", "reason")])
    assert connection.execute("select source, snapshot_sha256 from meta.quarantine order by all").fetchall() == [
        ("genai_prices", "c"),
        ("other", "b"),
    ]
