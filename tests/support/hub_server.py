"""A small Hugging Face Hub on loopback: pushing and loading are tested with the real client, offline.

It speaks the part of the Hub's HTTP API that `huggingface_hub` 2.x, `datasets` and `transformers` use, and
keeps everything in memory. Clients need HF_ENDPOINT=<url> and HF_HUB_DISABLE_XET=1 before they are imported.
"""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support import hub_endpoints, hub_transfer  # noqa: F401  (registers the endpoints)
from tests.support.hub_faults import Fault
from tests.support.hub_routing import Request, Response, find
from tests.support.hub_store import MAIN, HubError, HubStore, Repo


@dataclass(frozen=True)
class LoggedRequest:
    """What was asked and answered."""

    method: str
    path: str
    status: int


class HubServer:
    """A running Hub.

    Attributes:
        url: its address, for HF_ENDPOINT.
        store: its contents and what tokens may do.
        requests: every request so far, oldest first.
        faults: what goes wrong; the first that meets a request counts.
    """

    def __init__(self) -> None:
        self.store = HubStore()
        self.requests: list[LoggedRequest] = []
        self.faults: list[Fault] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="hub", daemon=True).start()

    @property
    def repos(self) -> dict[tuple[str, str], Repo]:
        """Repositories by (`models` | `datasets` | `spaces`, id)."""
        return self.store.repos

    def files(self, repo_type: str, repo_id: str, revision: str = MAIN) -> dict[str, bytes]:
        """Path -> content of the files that were pushed to a `model`, `dataset` or `space`.

        Leaves out .gitattributes, which the Hub itself puts into each repository.
        """
        with self.store.lock:
            commit = self.repos[repo_type + "s", repo_id].resolve(revision)
        return {path: blob.content for path, blob in commit.files.items() if path != ".gitattributes"}

    def fault_of(self, method: str, path: str) -> Fault | None:
        """What goes wrong with this request."""
        with self.store.lock:
            return next((fault for fault in self.faults if fault.meets(method, path)), None)

    def asked(self, method: str, part: str) -> list[LoggedRequest]:
        """The requests with this method whose path holds `part`, oldest first."""
        return [request for request in list(self.requests) if request.method == method and part in request.path]

    def reset(self) -> None:
        """Forget all repositories, requests and faults."""
        with self.store.lock:
            self.faults.clear()
            self.store.repos.clear()
            self.store.uploads.clear()
            self.requests.clear()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def start_hub_server() -> HubServer:
    """Start a Hub on a free port of 127.0.0.1, in a daemon thread."""
    return HubServer()


def _handler_for(server: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet: otherwise each answer waits for a delayed acknowledgement
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            fault = server.fault_of(self.command, self.path)
            if fault is not None and fault.drop in ("before", "upload"):
                if fault.drop == "upload":
                    self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
                server.requests.append(LoggedRequest(self.command, self.path, 0))
                self._break()
                return
            body = self._read_body()
            try:
                if fault is not None:
                    threading.Event().wait(fault.seconds)  # not time.sleep, which tests of retries replace
                    if fault.status:
                        error = HubError(fault.status, fault.message)
                        error.headers.update(fault.headers)
                        raise error
                with server.store.lock:
                    response = self._answer(body)
            except HubError as error:
                headers = {
                    "Content-Type": "application/json",
                    "X-Error-Message": ascii(error.message)[1:-1],
                    **error.headers,
                }
                if error.code:
                    headers["X-Error-Code"] = error.code
                response = Response(error.status, json.dumps(error.body).encode(), headers)
            server.requests.append(LoggedRequest(self.command, self.path, response.status))
            if fault is not None and fault.drop == "after":
                self._break()
                return
            self._send(response, half=fault is not None and fault.drop == "download")

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

        def _read_body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def _answer(self, body: bytes) -> Response:
            parts = urlsplit(self.path)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
            if token in server.store.invalid_tokens:
                raise HubError(401, "Invalid credentials in Authorization header")
            form = "urlencoded" in self.headers.get("Content-Type", "")
            endpoint, args = find(self.command, parts.path)
            request = Request(
                method=self.command,
                url=server.url,
                args=args,
                query=parse_qs(parts.query, keep_blank_values=True),
                form=parse_qs(body.decode()) if form else {},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
                token=token,
            )
            return endpoint(server.store, request)

        def _break(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, response: Response, *, half: bool = False) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body[: len(response.body) // 2] if half else response.body)
            if half:
                self.wfile.flush()
                self._break()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: `HubServer.requests` is the log."""

    return Handler
