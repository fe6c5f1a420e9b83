"""A file server on loopback that misbehaves on order: tests of downloads."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass
class File:
    """What is served at one path.

    Attributes:
        content: the bytes.
        etag: its ETag, None for none; quoted as on the wire.
        last_modified: its date, None for none.
        drops: byte counts (of the body sent) after which connections break, one for each answer, in order.
        statuses: codes to answer with before the file is served, in order.
        headers: to add to every answer.
        ranges: whether Range is honoured.
        announce_length: False sends the body in chunks.
        redirect: address to send clients to instead.
        piece, pause: bytes sent at a time and seconds between them.
        changes: called after each answer with the file itself: content that is replaced between attempts.
        by_query: gives the content in place of `content`, from the query of the address.
    """

    content: bytes = b""
    etag: str | None = '"v1"'
    last_modified: str | None = None
    drops: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/octet-stream"
    ranges: bool = True
    announce_length: bool = True
    redirect: str | None = None
    piece: int = 1 << 16
    pause: float = 0.0
    changes: Callable[[File], None] | None = None
    by_query: Callable[[dict[str, str]], bytes] | None = None


@dataclass(frozen=True)
class Asked:
    """One request and its answer."""

    path: str
    headers: dict[str, str]
    status: int

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


class FileServer:
    """A running server.

    Attributes:
        files: path -> what is served there.
        asked: every request so far.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.files: dict[str, File] = {}
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer((host, 0), _handler_for(self))
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="files", daemon=True).start()

    def add(self, path: str, content: bytes = b"", **options: Any) -> str:
        """Serve a file; returns its address."""
        self.files[path] = File(content, **options)
        return self.url + path

    def add_json(self, path: str, value: Any) -> str:
        """Serve a JSON answer; returns its address."""
        return self.add(path, json.dumps(value).encode(), content_type="application/json")

    def ranges(self, path: str) -> list[str | None]:
        """The Range headers that a path was asked with, in order."""
        return [asked.range for asked in self.asked if asked.path == path]

    def number(self, prefix: str = "") -> int:
        """How many requests there were for paths that begin so."""
        return sum(asked.path.startswith(prefix) for asked in self.asked)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler_for(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else connections that are used again wait 40 ms for each answer

        def send_response(self, code: int, message: str | None = None) -> None:
            # Before the answer leaves: the client may look at the log as soon as it has it.
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.asked.append(Asked(unquote(urlsplit(self.path).path), headers, code))
            super().send_response(code, message)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            file = server.files.get(unquote(parts.path))
            if file is not None and file.by_query is not None:
                file.content = file.by_query(dict(parse_qsl(parts.query)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._answer(file, headers)
            if file is not None and file.changes is not None:
                file.changes(file)

        def _answer(self, file: File | None, headers: dict[str, str]) -> None:
            if file is None:
                return self._plain(404, {})
            if file.statuses:
                return self._plain(file.statuses.pop(0), file.headers)
            if file.redirect is not None:
                return self._plain(302, {**file.headers, "Location": file.redirect})
            status, start = 200, 0
            match = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
            fresh = headers.get("if-range") in (None, file.etag, file.last_modified)
            if match and file.ranges and fresh:
                start = int(match[1])
                if start >= len(file.content):
                    return self._plain(416, {"Content-Range": f"bytes */{len(file.content)}"})
                status = 206
            self._send(file, status, start)

        def _plain(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self, file: File, status: int, start: int) -> None:
            body = file.content[start:]
            self.send_response(status)
            self.send_header("Content-Type", file.content_type)
            if file.etag:
                self.send_header("ETag", file.etag)
            if file.last_modified:
                self.send_header("Last-Modified", file.last_modified)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(file.content) - 1}/{len(file.content)}")
            if file.announce_length:
                self.send_header("Content-Length", str(len(body)))
            else:
                self.send_header("Transfer-Encoding", "chunked")
            for name, value in file.headers.items():
                self.send_header(name, value)
            self.end_headers()
            broken = bool(file.drops)
            if broken:
                body = body[: file.drops.pop(0)]
            try:
                for position in range(0, len(body), file.piece):
                    piece = body[position : position + file.piece]
                    head = b"" if file.announce_length else f"{len(piece):x}\r\n".encode()
                    self.wfile.write(head + piece + (b"" if file.announce_length else b"\r\n"))
                    time.sleep(file.pause)
                if not file.announce_length and not broken:
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:  # the client went away
                broken = True
            self.close_connection = self.close_connection or broken

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: `FileServer.asked` is the log."""

    return Handler
