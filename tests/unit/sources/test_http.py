"""HTTP: what a misbehaving server does ends in one error that names the URL, or in the right bytes."""

import gzip
import socket
import threading
import time

import pytest
from werkzeug import Request, Response

from pipelines import __version__
from pipelines.errors import FreefallError
from pipelines.sources import http
from pipelines.sources.http import fetch


@pytest.fixture
def naps(monkeypatch):
    """Take the waiting out of retries; give the seconds that would have been waited."""
    taken = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", taken.append)
    return taken


@pytest.fixture
def url(httpserver):
    return httpserver.url_for("/prices.json")


def get(url, **options):
    return fetch(url, contact="tests@example.com", allow_http=True, **({"retries": 0} | options))


def answer_in_turn(httpserver, *answers):
    waiting = list(answers)

    def handler(_request: Request) -> Response:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    httpserver.expect_request("/prices.json").respond_with_handler(handler)


def test_bytes_and_validators_come_back(httpserver, url):
    headers = {"ETag": '"v1"', "Last-Modified": "Mon, 09 Nov 2026 00:00:00 GMT"}
    httpserver.expect_request("/prices.json").respond_with_data(b"[1]", headers=headers)
    fetched = get(url)
    assert (fetched.payload, fetched.etag, fetched.last_modified) == (b"[1]", '"v1"', headers["Last-Modified"])


def test_the_user_agent_says_who_polls(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(b"[1]")
    get(url)
    request, _ = httpserver.log[0]
    assert request.headers["User-Agent"] == f"freefall/{__version__} (tests@example.com)"


def test_the_first_poll_is_not_conditional(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(b"[1]")
    get(url)
    request, _ = httpserver.log[0]
    assert "If-None-Match" not in request.headers
    assert "If-Modified-Since" not in request.headers


def test_the_next_poll_is_conditional_and_304_means_unchanged(httpserver, url):
    since = "Mon, 09 Nov 2026 00:00:00 GMT"
    httpserver.expect_request(
        "/prices.json", headers={"If-None-Match": '"v1"', "If-Modified-Since": since}
    ).respond_with_data(status=304)
    fetched = get(url, etag='"v1"', last_modified=since)
    assert (fetched.payload, fetched.etag, fetched.last_modified) == (None, '"v1"', since)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_said_at_once(httpserver, url, naps, status):
    httpserver.expect_request("/prices.json").respond_with_data("no", status=status)
    with pytest.raises(FreefallError, match=rf"prices\.json: answered {status}"):
        get(url, retries=4)
    assert len(httpserver.log) == 1
    assert naps == []


def test_too_many_requests_waits_as_long_as_it_is_asked_to(httpserver, url, naps):
    answer_in_turn(httpserver, Response("wait", status=429, headers={"Retry-After": "7"}), Response(b"[1]"))
    assert get(url, retries=2).payload == b"[1]"
    assert naps == [7]


def test_a_server_that_recovers_is_asked_again(httpserver, url, naps):
    answer_in_turn(httpserver, Response("a", status=500), Response("b", status=503), Response(b"[1]"))
    assert get(url, retries=4).payload == b"[1]"
    assert len(httpserver.log) == 3
    assert all(seconds <= 30 for seconds in naps)


def test_a_server_that_stays_broken_is_given_up(httpserver, url, naps):
    httpserver.expect_request("/prices.json").respond_with_data("broken", status=500)
    with pytest.raises(FreefallError, match=r"prices\.json: answered 500"):
        get(url, retries=3)
    assert len(httpserver.log) == 4
    assert sum(naps) < 60


def test_a_silent_server_runs_into_the_timeout(httpserver, url, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", (0.2, 0.2))
    released = threading.Event()

    def handler(_request: Request) -> Response:
        released.wait(5)
        return Response(b"[1]")

    httpserver.expect_request("/prices.json").respond_with_handler(handler)
    began = time.perf_counter()
    with pytest.raises(FreefallError, match=r"prices\.json: .*timed out"):
        get(url)
    released.set()
    assert time.perf_counter() - began < 3


def raw_server(answer: bytes) -> str:
    """Answer one connection with these very bytes, then hang up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/prices.json"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
        b"no HTTP at all",
        b"",
    ],
    ids=["length", "chunked", "false gzip", "no http", "hang-up"],
)
def test_a_damaged_answer_is_never_taken_for_a_payload(answer):
    with pytest.raises(FreefallError, match=r"prices\.json"):
        get(raw_server(answer))


def test_an_empty_answer_is_no_payload(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(b"")
    with pytest.raises(FreefallError, match=r"prices\.json: the answer is empty"):
        get(url)


@pytest.mark.parametrize("status", [202, 203, 300, 302])
def test_an_answer_other_than_200_is_no_payload(httpserver, url, status):
    httpserver.expect_request("/prices.json").respond_with_data(b"<html>soon</html>", status=status)
    with pytest.raises(FreefallError, match=rf"answered {status}"):
        get(url)


def test_a_gzipped_answer_is_unpacked(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(
        gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"}
    )
    assert get(url).payload == b"[1]"


def test_a_small_answer_that_unpacks_into_a_large_one_is_refused(httpserver, url):
    bomb = gzip.compress(b"0" * 10_000_000)
    assert len(bomb) < 100_000
    httpserver.expect_request("/prices.json").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(FreefallError, match=r"prices\.json: more than 100000 bytes"):
        get(url, max_bytes=100_000)


def test_a_payload_of_exactly_the_cap_is_taken(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(b"0" * 1000)
    assert len(get(url, max_bytes=1000).payload) == 1000


def test_a_redirect_on_the_same_host_is_followed(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(status=302, headers={"Location": "/v2.json"})
    httpserver.expect_request("/v2.json").respond_with_data(b"[2]")
    assert get(url).payload == b"[2]"


def test_a_redirect_to_another_host_is_refused(httpserver, url):
    elsewhere = url.replace("localhost", "127.0.0.1").replace("/prices.json", "/v2.json")
    assert elsewhere.split("/")[2] != url.split("/")[2]
    httpserver.expect_request("/prices.json").respond_with_data(status=302, headers={"Location": elsewhere})
    httpserver.expect_request("/v2.json").respond_with_data(b"[2]")
    with pytest.raises(FreefallError, match=r"prices\.json: redirected to http://127\.0\.0\.1"):
        get(url)


def test_an_endless_redirect_ends(httpserver, url):
    httpserver.expect_request("/prices.json").respond_with_data(status=302, headers={"Location": "/prices.json"})
    with pytest.raises(FreefallError, match=r"prices\.json: Exceeded 30 redirects"):
        get(url)


def test_plain_http_is_refused_before_anything_is_sent(httpserver, url):
    with pytest.raises(FreefallError, match=r"prices\.json: expected an https address"):
        fetch(url, contact="tests@example.com")
    assert httpserver.log == []


def test_nobody_listening_is_an_error_with_the_url():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FreefallError, match=rf"127\.0\.0\.1:{port}/prices\.json"):
        get(f"http://127.0.0.1:{port}/prices.json")
