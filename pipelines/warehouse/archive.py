"""Payloads by content: stored before anything parses them, never changed, never lost."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from pipelines.errors import FreefallError


class Archive:
    """A folder of zstd-compressed payloads named by the SHA-256 of their content.

    Objects are written by rename, so a kill leaves either nothing or the whole object.
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder; it is made when the first payload is stored."""
        self._folder = folder

    def put(self, payload: bytes) -> str:
        """Store a payload and return its SHA-256; storing it again costs one hash.

        Raises:
            FreefallError: when the folder cannot be written.
        """
        sha256 = hashlib.sha256(payload).hexdigest()
        target = self._path(sha256)
        if target.exists():
            return sha256
        import zstandard

        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as handle:
                draft = Path(handle.name)
                try:
                    handle.write(zstandard.ZstdCompressor(level=9).compress(payload))
                    handle.flush()
                    os.fsync(handle.fileno())
                    draft.replace(target)
                finally:
                    draft.unlink(missing_ok=True)
        except OSError as error:
            raise FreefallError(f"{target.parent}: the archive cannot be written ({error.strerror})") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return a payload.

        Raises:
            FreefallError: when it is missing or does not have its hash.
        """
        path = self._path(sha256)
        import zstandard

        try:
            payload = zstandard.ZstdDecompressor().decompress(path.read_bytes())
        except (OSError, zstandard.ZstdError) as error:
            raise FreefallError(f"{path}: the archived payload cannot be read ({error})") from error
        if hashlib.sha256(payload).hexdigest() != sha256:
            raise FreefallError(f"{path}: the archived payload does not have the hash {sha256}")
        return payload

    def __contains__(self, sha256: str) -> bool:
        """Return whether a payload is stored."""
        return self._path(sha256).exists()

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}.zst"
