"""Products of stages: folders that are whole or not there, and know what they came from.

A product is written under a temporary name beside its place and renamed when complete. Its
``product.json`` carries the key (the hash of all that it was made from) and the hash of its
content, from which products further down derive their keys.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmp_thermo.errors import WorkspaceError

MARKER = "product.json"


def hash_of(value: Any) -> str:
    """SHA-256 of the canonical JSON text of `value` (numbers, strings, lists, mappings)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def folded_json(value: Any, width: int = 160, indent: int = 0) -> str:
    """`value` as JSON in which all that fits on a line of `width` characters stands on one."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(text) + indent <= width or not isinstance(value, dict | list) or not value:
        return text
    margin = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        inner = [
            f"{json.dumps(str(key), ensure_ascii=False)}: {folded_json(own, width, indent + 1)}"
            for key, own in value.items()
        ]
        return "{" + margin + f",{margin}".join(inner) + "\n" + " " * indent + "}"
    inner = [folded_json(own, width, indent + 1) for own in value]
    return "[" + margin + f",{margin}".join(inner) + "\n" + " " * indent + "]"


def read_json(path: Path) -> Any:
    """Read a JSON file of ours.

    Raises:
        WorkspaceError: the file is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise WorkspaceError(
            f"{path}: cannot be read ({error}); remove it and run the same command again"
        ) from error


@dataclass(frozen=True)
class Product:
    """One folder made by one stage.

    Args:
        folder: where the product stands when complete.
        sources: all that it is made from; its hash is the product's key.
    """

    folder: Path
    sources: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Hash of the sources."""
        return hash_of(self.sources)

    @property
    def marker(self) -> dict[str, Any] | None:
        """What ``product.json`` says, None where there is no complete product."""
        path = self.folder / MARKER
        if not path.is_file():
            return None
        marker = read_json(path)
        if not isinstance(marker, dict) or not {"key", "content"} <= marker.keys():
            raise WorkspaceError(
                f"{path}: not a product marker; remove {self.folder} and run the same command again"
            )
        return marker

    @property
    def state(self) -> str:
        """``current``, ``stale`` (made from other sources) or ``missing``."""
        marker = self.marker
        if marker is None:
            return "missing"
        return "current" if marker["key"] == self.key else "stale"

    @property
    def content(self) -> str:
        """Hash of the content of a current product.

        Raises:
            WorkspaceError: the product is missing or stale.
        """
        marker = self.marker
        if marker is None or marker["key"] != self.key:
            raise WorkspaceError(
                f"{self.folder}: {self.state}; run the stage that makes it, or `lmp-thermo run`"
            )
        return str(marker["content"])

    def verify(self) -> None:
        """Compare the files with the hashes that were written when they were made.

        Raises:
            WorkspaceError: a file is missing or was changed.
        """
        marker = self.marker
        if marker is None:
            raise WorkspaceError(f"{self.folder}: missing; run the stage that makes it")
        for name, expected in marker["files"].items():
            path = self.folder / name
            if not path.is_file() or hash_of_file(path) != expected:
                raise WorkspaceError(
                    f"{path}: missing or corrupt (its hash is not the one written when it was "
                    f"made); remove {self.folder} and run the same command again"
                )

    @contextmanager
    def making(self) -> Iterator[Path]:
        """Give a temporary folder to write into; on success it becomes the product.

        On an exception the temporary folder is removed and an older product is left as it was.
        """
        started = time.time()
        temporary = self.folder.with_name(f".{self.folder.name}.making")
        if temporary.exists():
            shutil.rmtree(temporary)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            files = {
                str(path.relative_to(temporary)): hash_of_file(path)
                for path in sorted(temporary.rglob("*"))
                if path.is_file()
            }
            write_json(
                temporary / MARKER,
                {
                    "key": self.key,
                    "content": hash_of(files),
                    "seconds": round(time.time() - started, 3),
                    "files": files,
                    "sources": self.sources,
                },
            )
            if self.folder.exists():
                old = self.folder.with_name(f".{self.folder.name}.old")
                if old.exists():
                    shutil.rmtree(old)
                self.folder.rename(old)
                temporary.rename(self.folder)
                shutil.rmtree(old)
            else:
                temporary.rename(self.folder)
        finally:
            if temporary.exists():
                shutil.rmtree(temporary, ignore_errors=True)

    def make(self, write: Callable[[Path], None]) -> bool:
        """Call `write` with a temporary folder unless the product is current.

        Returns:
            True where something was made.
        """
        if self.state == "current":
            return False
        with self.making() as folder:
            write(folder)
        return True
