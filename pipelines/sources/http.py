"""Polite HTTP: retries, limits, conditional requests; bytes out, nothing parsed or stored."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pipelines import __version__
from pipelines.errors import FreefallError
from pipelines.sources.base import Fetched

TIMEOUT_SECONDS = (5.0, 30.0)
MAX_BYTES = 256 * 1024 * 1024
_CHUNK = 1 << 16
_RETRIED = (408, 425, 429, 500, 502, 503, 504)
_OK = 200
_NOT_MODIFIED = 304
_LONGEST_WAIT_SECONDS = 120


def fetch(
    url: str,
    *,
    contact: str,
    etag: str | None = None,
    last_modified: str | None = None,
    max_bytes: int = MAX_BYTES,
    retries: int = 4,
    allow_http: bool = False,
) -> Fetched:
    """Fetch a URL, or learn that it has not changed.

    Retries GET on connection errors and on 408, 425, 429 and 5xx with jitter and Retry-After.

    Args:
        url: https address; the host after redirects must be the same.
        contact: who polls, for the User-Agent.
        etag: ETag of the last payload, for a conditional request.
        last_modified: Last-Modified of the last payload, for a conditional request.
        max_bytes: cap on decoded bytes, so that a small answer cannot unpack into a large one.
        retries: attempts after the first.
        allow_http: permit plain http (a test server on this machine).

    Raises:
        FreefallError: on any failure, naming the URL and what was received.
    """
    import requests
    from requests.adapters import HTTPAdapter

    if urlsplit(url).scheme != "https" and not allow_http:
        raise FreefallError(f"{url}: expected an https address")
    headers = {"User-Agent": f"freefall/{__version__} ({contact})", "Accept-Encoding": "gzip"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    with requests.Session() as session:
        adapter = HTTPAdapter(max_retries=_retry(retries))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        try:
            with session.get(url, headers=headers, timeout=TIMEOUT_SECONDS, stream=True) as answer:
                _require_same_place(url, answer.url, allow_http=allow_http)
                if answer.status_code == _NOT_MODIFIED:
                    return Fetched(None, etag, last_modified)
                if answer.status_code != _OK:
                    raise FreefallError(f"{url}: answered {answer.status_code} {answer.reason}")
                received = _received(url, answer, max_bytes)
        except requests.RequestException as error:
            raise FreefallError(f"{url}: {error}") from error
    return Fetched(received, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


def _retry(attempts: int) -> Any:
    from urllib3.util import Retry

    return Retry(
        total=attempts,
        status_forcelist=_RETRIED,
        allowed_methods=("GET", "HEAD"),
        backoff_factor=0.5,
        backoff_jitter=0.5,
        backoff_max=30,
        retry_after_max=_LONGEST_WAIT_SECONDS,
        raise_on_status=False,
    )


def _require_same_place(asked: str, answered: str, *, allow_http: bool) -> None:
    final = urlsplit(answered)
    if final.hostname != urlsplit(asked).hostname or (final.scheme != "https" and not allow_http):
        raise FreefallError(f"{asked}: redirected to {answered}, which is not allowed")


def _received(url: str, answer: Any, max_bytes: int) -> bytes:
    """Read the decoded body up to the cap, and notice when it was cut off."""
    received = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        received += chunk
        if len(received) > max_bytes:
            raise FreefallError(f"{url}: more than {max_bytes} bytes after decoding; refused")
    stated = answer.headers.get("Content-Length")
    if stated and "Content-Encoding" not in answer.headers and len(received) != int(stated):
        raise FreefallError(f"{url}: truncated, {len(received)} of {stated} bytes")
    if not received:
        raise FreefallError(f"{url}: the answer is empty")
    return bytes(received)
