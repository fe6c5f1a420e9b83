"""The test Hub's endpoints about repositories: create, info, listings, references. Imported to register."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml

from tests.support.hub_routing import KIND, REPO, Request, Response, address, answer, find_repo, route
from tests.support.hub_store import MAIN, Blob, Commit, HubError, HubStore, Repo, card_data


@route("GET", "/api/whoami-v2")
def whoami(store: HubStore, request: Request) -> Response:
    if request.token is None:
        raise HubError(401, "Invalid username or password.")
    role = "read" if request.token in store.read_tokens else "write"
    organisation = {"type": "org", "name": "ecg-bench", "roleInOrg": role}
    access = {"displayName": "test", "role": role}
    return answer({"type": "user", "name": store.user, "orgs": [organisation], "auth": {"accessToken": access}})


@route("POST", "/api/repos/create")
def create_repo(store: HubStore, request: Request) -> Response:
    body = request.json
    namespace = body.get("organization") or store.user
    store.check_write(namespace, request.token)
    private = body.get("visibility") == "private" or bool(body.get("private"))
    kind, repo_id = body.get("type", "model") + "s", f"{namespace}/{body['name']}"
    if (kind, repo_id) in store.repos:
        raise HubError(409, "You already created this repo", body={"url": address(request, store.repos[kind, repo_id])})
    repo = store.create(kind, repo_id, private=private, sdk=body.get("sdk"))
    return answer({"url": address(request, repo), "name": repo.id})


@route("DELETE", "/api/repos/delete")
def delete_repo(store: HubStore, request: Request) -> Response:
    body = request.json
    namespace = body.get("organization") or store.user
    repo = store.get(body.get("type", "model") + "s", f"{namespace}/{body['name']}", request.token)
    store.check_write(namespace, request.token)
    del store.repos[repo.kind, repo.id]
    return answer({})


@route("PUT", REPO + "/settings")
def settings(store: HubStore, request: Request) -> Response:
    repo = find_repo(store, request, write=True)
    body = request.json
    if "private" in body or "visibility" in body:
        repo.private = body.get("visibility") == "private" or bool(body.get("private"))
    if "gated" in body:
        if body["gated"] not in ("auto", "manual", False):
            raise HubError(400, "gated is auto, manual or false")
        repo.gated = body["gated"]
    return answer({})


def _info(repo: Repo, commit: Commit) -> dict[str, Any]:
    card = card_data(commit.files)
    tags = list(card.get("tags", []))
    if "license" in card:
        tags.append(f"license:{card['license']}")
    info: dict[str, Any] = {
        "_id": hashlib.sha1(repo.id.encode()).hexdigest()[:24],
        "id": repo.id,
        "author": repo.id.split("/")[0],
        "sha": commit.oid,
        "lastModified": commit.date,
        "createdAt": repo.created,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags,
        "cardData": card,
        "siblings": [
            {"rfilename": path, "size": len(blob.content), "blobId": blob.git_oid, **blob.lfs_info}
            for path, blob in sorted(commit.files.items())
        ],
    }
    if repo.kind == "models":
        config = commit.files.get("config.json")
        info |= {
            "modelId": repo.id,
            "library_name": card.get("library_name"),
            "pipeline_tag": card.get("pipeline_tag"),
        }
        info["config"] = json.loads(config.content) if config else {}
        info["evalResults"] = eval_results(repo)
    if repo.kind == "spaces":
        info |= {
            "sdk": repo.sdk,
            "runtime": {"stage": "RUNNING", "hardware": {"current": "cpu-basic", "requested": "cpu-basic"}},
        }
    return info


@route("GET", KIND)
def list_repos(store: HubStore, request: Request) -> Response:
    def wanted(info: dict[str, Any]) -> bool:
        author, search = (request.query.get(name, [""])[0] for name in ("author", "search"))
        filters = set(request.query.get("filter", []))
        return (
            (not author or info["author"] == author)
            and search.lower() in info["id"].lower()
            and filters <= set(info["tags"])
        )

    visible = [
        repo
        for repo in store.repos.values()
        if repo.kind == request.args["kind"] and (request.token or not repo.private)
    ]
    return answer([info for info in (_info(repo, repo.resolve(MAIN)) for repo in visible) if wanted(info)])


def eval_results(repo: Repo) -> list[dict[str, Any]]:
    """The entries of a model's .eval_results/*.yaml, with the file's name."""
    files = repo.resolve(MAIN).files
    names = sorted(name for name in files if name.startswith(".eval_results/") and name.endswith(".yaml"))
    return [{"filename": name, "data": entry} for name in names for entry in yaml.safe_load(files[name].content)]


@route("GET", "/api/(?P<kind>datasets)/(?P<id>[^/]+/[^/]+)/leaderboard")
def leaderboard(store: HubStore, request: Request) -> Response:
    """What models say about a dataset that has an eval.yaml, best first."""
    dataset = find_repo(store, request)
    if "eval.yaml" not in dataset.resolve(MAIN).files:
        raise HubError(404, "not a benchmark", code="EntryNotFound")
    found = [
        (item["data"]["value"], repo.id, item)
        for repo in store.repos.values()
        if repo.kind == "models"
        for item in eval_results(repo)
        if item["data"]["dataset"]["id"] == dataset.id
    ]
    author = {"type": "user", "name": store.user, "fullname": store.user, "avatarUrl": ""}
    rows = [
        {
            "rank": rank,
            "modelId": model,
            "value": value,
            "filename": item["filename"],
            "verified": False,
            "source": item["data"].get("source"),
            "author": author,
            "notes": item["data"].get("notes"),
        }
        for rank, (value, model, item) in enumerate(sorted(found, key=lambda entry: -entry[0]), start=1)
    ]
    return answer(rows)


@route("GET", REPO + "(?:/revision/(?P<rev>[^/]+))?")
def repo_info(store: HubStore, request: Request) -> Response:
    repo = find_repo(store, request)
    return answer(_info(repo, repo.resolve(request.args.get("rev", MAIN))))


@route("GET", REPO + "/auth-check")
def auth_check(store: HubStore, request: Request) -> Response:
    find_repo(store, request)
    return answer({})


def _entry(path: str, blob: Blob, commit: Commit) -> dict[str, Any]:
    last = {"id": commit.oid, "title": commit.title, "date": commit.date}
    return {
        "type": "file",
        "path": path,
        "size": len(blob.content),
        "oid": blob.git_oid,
        "lastCommit": last,
        **blob.lfs_info,
    }


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": hashlib.sha1(path.encode()).hexdigest()}


def _folders(commit: Commit) -> set[str]:
    parts = [path.split("/") for path in commit.files]
    return {"/".join(names[:depth]) for names in parts for depth in range(1, len(names))}


@route("GET", REPO + "/tree/(?P<rev>[^/]+)(?:/(?P<path>.+))?")
def tree(store: HubStore, request: Request) -> Response:
    commit = find_repo(store, request).resolve(request.args["rev"])
    folder = request.args.get("path", "").strip("/")
    folders = _folders(commit)
    if folder and folder not in folders:
        raise HubError(404, f"{folder} does not exist on {request.args['rev']!r}", code="EntryNotFound")
    start = folder + "/" if folder else ""
    entries = [_folder(path) for path in sorted(folders) if path.startswith(start)]
    entries += [_entry(path, blob, commit) for path, blob in sorted(commit.files.items()) if path.startswith(start)]
    deep = request.flag("recursive")
    return answer([entry for entry in entries if deep or "/" not in entry["path"].removeprefix(start)])


@route("POST", REPO + "/paths-info/(?P<rev>[^/]+)")
def paths_info(store: HubStore, request: Request) -> Response:
    commit = find_repo(store, request).resolve(request.args["rev"])
    paths = request.form.get("paths") or (request.json.get("paths", []) if not request.form else [])
    folders = _folders(commit)
    found = [_entry(path, commit.files[path], commit) for path in paths if path in commit.files]
    return answer(found + [_folder(path) for path in paths if path in folders])


@route("GET", REPO + "/refs")
def refs(store: HubStore, request: Request) -> Response:
    repo = find_repo(store, request)

    def listed(names: dict[str, str], folder: str) -> list[dict[str, str]]:
        return [{"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": oid} for name, oid in names.items()]

    pulls = {str(number): oid for number, oid in repo.pull_requests.items()} if request.flag("include_prs") else {}
    named = {"branches": listed(repo.branches, "heads"), "tags": listed(repo.tags, "tags"), "converts": []}
    return answer({**named, "pullRequests": listed(pulls, "pr")})


@route("POST DELETE", REPO + "/branch/(?P<name>[^/]+)")
def branch(store: HubStore, request: Request) -> Response:
    repo = find_repo(store, request, write=True)
    return _name_commit(repo, repo.branches, request, request.args["name"], request.args["name"])


@route("POST DELETE", REPO + "/tag/(?P<rev>[^/]+)")
def tag(store: HubStore, request: Request) -> Response:
    repo = find_repo(store, request, write=True)
    name = request.json["tag"] if request.method == "POST" else request.args["rev"]
    return _name_commit(repo, repo.tags, request, name, request.args["rev"])


def _name_commit(repo: Repo, names: dict[str, str], request: Request, name: str, revision: str) -> Response:
    if request.method == "DELETE":
        if names.pop(name, None) is None:
            raise HubError(404, f"no such reference: {name}", code="RevisionNotFound")
    elif name in names:
        raise HubError(409, f"Reference {name} already exists")
    elif names is repo.branches:
        names[name] = repo.resolve(request.json.get("startingPoint", MAIN)).oid
    else:
        names[name] = repo.resolve(revision).oid
    return answer({})


@route("GET", REPO + "/commits/(?P<rev>[^/]+)")
def commits(store: HubStore, request: Request) -> Response:
    history = find_repo(store, request).history(request.args["rev"])
    author = [{"user": store.user}]
    return answer(
        [{"id": c.oid, "title": c.title, "message": c.message, "authors": author, "date": c.date} for c in history]
    )


@route("POST", "/api/validate-yaml")
def validate_yaml(store: HubStore, request: Request) -> Response:
    try:
        card_data({"README.md": Blob(request.json["content"].encode())})
    except yaml.YAMLError as error:
        raise HubError(400, f"Invalid YAML: {error}", body={"errors": [{"message": str(error)}]}) from error
    return answer({"errors": [], "warnings": []})


@route("POST", REPO + "/discussions/(?P<number>[0-9]+)/merge")
def merge(store: HubStore, request: Request) -> Response:
    find_repo(store, request, write=True).merge(int(request.args["number"]))
    return answer({})
