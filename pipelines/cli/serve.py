"""`freefall serve`: the static site on this machine."""

from __future__ import annotations

import functools
import http.server
from typing import Any

import click

from pipelines.config import Config
from pipelines.errors import FreefallError


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Log nothing: the page is for one person."""


@click.command("serve")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port on 127.0.0.1.")
def command(port: int) -> None:
    """Serve the site at http://127.0.0.1:PORT/ until Ctrl-C; nothing is reachable from outside."""
    site = Config.from_environment().home.site
    if not (site / "index.html").is_file():
        raise FreefallError(f"{site}: no site yet; run `freefall run` first")
    handler = functools.partial(_QuietHandler, directory=str(site))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise FreefallError(f"port {port}: cannot be used ({error.strerror}); choose another with --port") from error
    with server:
        click.echo(f"http://127.0.0.1:{port}/  (Ctrl-C stops)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped")
