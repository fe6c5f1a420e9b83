"""The test Hub's endpoints that carry content: uploads, commits, downloads. Imported to register."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.support.hub_routing import GIT, REPO, Request, Response, address, answer, find_repo, route
from tests.support.hub_store import Blob, HubError, HubStore

LFS_SUFFIXES = (
    ".arrow",
    ".bin",
    ".gz",
    ".h5",
    ".npy",
    ".npz",
    ".parquet",
    ".png",
    ".pt",
    ".pth",
    ".safetensors",
    ".zip",
)
LFS_SIZE = 10 * 1024 * 1024


@route("POST", REPO + "/preupload/(?P<rev>[^/]+)")
def preupload(store: HubStore, request: Request) -> Response:
    """Which files go through LFS, and which are there already."""
    repo = find_repo(store, request, write=not request.flag("create_pr"))
    files = repo.resolve(request.args["rev"]).files

    def plan(file: dict[str, Any]) -> dict[str, Any]:
        lfs = file["path"].endswith(LFS_SUFFIXES) or file["size"] > LFS_SIZE
        present = files.get(file["path"])
        oid = present.etag if present is not None and present.lfs == lfs else None
        return {
            "path": file["path"],
            "uploadMode": "lfs" if lfs else "regular",
            "shouldIgnore": False,
            "oid": oid,
        }

    return answer({"files": [plan(file) for file in request.json["files"]]})


@route("POST", GIT + r"\.git/info/lfs/objects/batch")
def lfs_batch(store: HubStore, request: Request) -> Response:
    find_repo(store, request)

    def plan(item: dict[str, Any]) -> dict[str, Any]:
        upload = {"upload": {"href": f"{request.url}/lfs/{item['oid']}", "header": {}}}
        return {
            "oid": item["oid"],
            "size": item["size"],
            **({} if item["oid"] in store.uploads else {"actions": upload}),
        }

    return answer({"transfer": "basic", "objects": [plan(item) for item in request.json["objects"]]})


@route("PUT", "/lfs/(?P<oid>[0-9a-f]{64})")
def upload(store: HubStore, request: Request) -> Response:
    oid = request.args["oid"]
    if hashlib.sha256(request.body).hexdigest() != oid:
        raise HubError(400, f"the uploaded bytes are not those of {oid}")
    store.uploads[oid] = request.body
    return answer({})


@route("POST", REPO + "/commit/(?P<rev>[^/]+)")
def commit(store: HubStore, request: Request) -> Response:
    create_pr = request.flag("create_pr")
    repo = find_repo(store, request, write=not create_pr)
    if request.token is None:
        raise HubError(401, "Invalid username or password.")
    lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    new, number = repo.commit(
        request.args["rev"],
        _changes(store, repo.resolve(request.args["rev"]).files, lines),
        title=header["summary"],
        message=header.get("description", ""),
        parent=header.get("parentCommit"),
        create_pr=create_pr,
    )
    page = address(request, repo)
    result = {
        "success": True,
        "commitOid": new.oid,
        "commitUrl": f"{page}/commit/{new.oid}",
        "hookOutput": "",
    }
    if number is not None:
        result["pullRequestUrl"] = f"{page}/discussions/{number}"
    return answer(result)


def _changes(store: HubStore, files: Mapping[str, Blob], lines: list[dict[str, Any]]) -> dict[str, Blob | None]:
    changes: dict[str, Blob | None] = {}
    for line in lines:
        value = line["value"]
        match line["key"]:
            case "header":
                pass
            case "file":
                changes[value["path"]] = Blob(base64.b64decode(value["content"]))
            case "lfsFile":
                if value["oid"] not in store.uploads:
                    raise HubError(400, f"{value['path']}: its content was never uploaded")
                changes[value["path"]] = Blob(store.uploads[value["oid"]], lfs=True)
            case "deletedFile":
                changes[value["path"]] = None
            case "deletedFolder":
                inside = [path for path in files if path.startswith(value["path"].rstrip("/") + "/")]
                if not inside:
                    raise HubError(404, f"{value['path']} does not exist", code="EntryNotFound")
                changes.update(dict.fromkeys(inside))
            case other:
                raise HubError(400, f"unknown operation {other!r}")
    return changes


@route("GET HEAD", GIT + "/resolve/(?P<rev>[^/]+)/(?P<path>.+)")
def resolve(store: HubStore, request: Request) -> Response:
    """A file's bytes, or with HEAD its length and identity."""
    repo = find_repo(store, request)
    store.check_read(repo, request.token)
    commit = repo.resolve(request.args["rev"])
    blob = commit.files.get(request.args["path"])
    if blob is None:
        error = HubError(404, "Entry not found", code="EntryNotFound")
        error.headers["X-Repo-Commit"] = commit.oid  # without it the client takes this for a server fault
        raise error
    headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"}
    headers["Content-Type"] = "application/octet-stream"
    if blob.lfs:
        headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.content))}
    return _ranged(blob.content, request.headers.get("range"), headers)


def _ranged(content: bytes, wanted: str | None, headers: dict[str, str]) -> Response:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if match is None or match.groups() == ("", ""):
        return Response(200, content, headers)
    first, last = match.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    stop = min(len(content), int(last) + 1) if first and last else len(content)
    if start >= stop:
        error = HubError(416, "range not satisfiable")
        error.headers["Content-Range"] = f"bytes */{len(content)}"
        raise error
    return Response(206, content[start:stop], {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"})
