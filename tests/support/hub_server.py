"""A hub on loopback for the real client in tests. It keeps repositories in memory, breaks downloads and takes uploads."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_a_token_of_the_tests"
LARGE = (".safetensors", ".bin", ".parquet")
"""Files that the hub keeps in its large storage and lists with their SHA-256."""


@dataclass
class Repository:
    """One commit of a model or data set."""

    files: dict[str, bytes]
    gated: bool = False
    stall_after: dict[str, int] = field(default_factory=dict)
    """By path, the number of bytes after which an answer stalls until the hub is closed."""
    cut: dict[str, int] = field(default_factory=dict)
    """By path, the number of answers that end half way."""
    stored: dict[str, bytes] = field(default_factory=dict)
    """By path, the bytes that are sent instead of the repository's own."""
    ranges: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Range header) of every download."""
    private: bool = False
    messages: list[str] = field(default_factory=list)
    """Messages of the commits that were pushed."""

    @property
    def commit(self) -> str:
        """A hash of the content."""
        digest = hashlib.sha1(usedforsecurity=False)
        for path, content in sorted(self.files.items()):
            digest.update(b"%s\0%d\0%s" % (path.encode(), len(content), content))
        return digest.hexdigest()

    def entry(self, path: str) -> dict[str, Any]:
        """A file as the hub lists it."""
        content = self.files[path]
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        listed: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob}
        if path.endswith(LARGE):
            listed["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return listed


class Hub:
    """The server: `endpoint` is for HF_ENDPOINT, and repositories are named "models/owner/name" or "datasets/owner/name"."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        """What was uploaded to the large storage, by SHA-256."""
        self._closed = threading.Event()
        hub = self

        class Handler(_Handler):
            repositories, large, closed = hub.repositories, hub.large, hub._closed

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End the server; nothing answers at its address afterwards."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()


def _mode(repository: Repository, path: str) -> dict[str, Any]:
    """How the client must upload a file, and the id of the version that the repository already has."""
    entry = repository.entry(path) if path in repository.files else {}
    known = entry.get("lfs", entry).get("oid")
    return {
        "path": path,
        "uploadMode": "lfs" if path.endswith(LARGE) else "regular",
        "shouldIgnore": False,
        "oid": known,
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    repositories: dict[str, Repository]
    large: dict[str, bytes]
    closed: threading.Event

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        if self._writes(path, body):
            return
        if found := re.fullmatch(
            r"/api/((?:models|datasets)/[\w.-]+/[\w.-]+)(?:/(revision|tree|paths-info)/(\w+)(/.*)?)?", path
        ):
            name, action, revision, below = found.groups()
            self._send_description(name, action, revision, below, body)
        elif found := re.fullmatch(r"/(datasets/)?([\w.-]+/[\w.-]+)/resolve/(\w+)/(.+)", path):
            of, name, revision, file = found.groups()
            self._send_file(f"{'datasets' if of else 'models'}/{name}", revision, file)
        else:
            self._refuse(404, "EntryNotFound")

    def _writes(self, path: str, body: bytes) -> bool:
        """Answer a request that belongs to an upload. Returns whether it does."""
        repo = r"/api/((?:models|datasets)/[\w.-]+/[\w.-]+)"
        create, validate = path == "/api/repos/create", path == "/api/validate-yaml"
        ahead, commit = re.fullmatch(rf"{repo}/preupload/main", path), re.fullmatch(rf"{repo}/commit/main", path)
        batch = re.fullmatch(r"/(datasets/)?([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch", path)
        storage = re.fullmatch(r"/storage/([0-9a-f]{64})", path)
        if storage:  # the address itself is the permission, like a signed URL
            self.large[storage[1]] = body
            self._send_json({})
        elif not (create or validate or ahead or commit or batch):
            return False
        elif not validate and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(401, "Unauthorized")
        elif validate:
            self._send_json({"errors": [], "warnings": []})
        elif create:
            self._create(json.loads(body))
        elif batch:
            self._send_json({"objects": [self._storage(one) for one in json.loads(body)["objects"]]})
        elif ahead:
            known = self.repositories[ahead[1]]
            self._send_json({"files": [_mode(known, one["path"]) for one in json.loads(body)["files"]]})
        elif commit:
            self._commit(self.repositories[commit[1]], commit[1], [json.loads(line) for line in body.splitlines()])
        return True

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        kind = {"dataset": "datasets", "model": "models"}[asked.get("type", "model")]
        place = f"{'datasets/' if kind == 'datasets' else ''}{name}"
        facts = {"url": f"http://{self.headers['Host']}/{place}", "name": name, "id": "0"}
        if f"{kind}/{name}" in self.repositories:
            self._send_json(facts, 409)
            return
        self.repositories[f"{kind}/{name}"] = Repository(
            {".gitattributes": b""}, private=asked["visibility"] == "private"
        )
        self._send_json(facts)

    def _storage(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Where to upload a file for the large storage; no address if the file is already there."""
        facts = {"oid": asked["oid"], "size": asked["size"]}
        upload = {"href": f"http://{self.headers['Host']}/storage/{asked['oid']}"}
        return facts if asked["oid"] in self.large else {**facts, "actions": {"upload": upload}}

    def _commit(self, repository: Repository, name: str, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                repository.messages.append(value["summary"])
            elif line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del repository.files[value["path"]]
        url = f"http://{self.headers['Host']}/{name.removeprefix('models/')}/commit/{repository.commit}"
        self._send_json({"commitUrl": url, "commitOid": repository.commit, "success": True})

    def _repository(self, name: str, revision: str | None, *, content: bool) -> Repository | None:
        """The repository. If the commit does not exist or the caller may not read its content, the request is refused: None."""
        repository = self.repositories.get(name)
        if repository is None:
            self._refuse(401, "RepoNotFound")
        elif revision not in (None, "main", repository.commit):
            self._refuse(404, "RevisionNotFound")
        elif content and repository.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(403, "GatedRepo")
        else:
            return repository
        return None

    def _send_description(
        self, name: str, action: str | None, revision: str | None, below: str | None, body: bytes
    ) -> None:
        repository = self._repository(name, revision, content=False)
        if repository is None:
            return
        entries = [repository.entry(path) for path in repository.files]
        if action == "tree":
            self._send_tree(entries, (below or "").strip("/"))
        elif action == "paths-info":
            wanted = re.findall(r'"([^"]+)"', body.decode()) + unquote(body.decode()).replace("=", "&").split("&")
            self._send_json([e for e in entries if e["path"] in wanted])
        else:
            siblings = [{"rfilename": e["path"]} for e in entries]
            facts = {
                "_id": "0",
                "private": repository.private,
                "gated": repository.gated,
                "tags": [],
                "downloads": 0,
                "likes": 0,
            }
            self._send_json({**facts, "id": name.split("/", 1)[1], "sha": repository.commit, "siblings": siblings})

    def _send_tree(self, entries: list[dict[str, Any]], folder: str) -> None:
        """Send the files and folders below a folder: all of them, or only the next level."""
        start = f"{folder}/" if folder else ""
        inside = [entry for entry in entries if entry["path"].startswith(start)]
        if not inside:
            self._refuse(404, "EntryNotFound")
            return
        parents = {str(p) for e in inside for p in PurePosixPath(e["path"]).parents if str(p).startswith(start)}
        inside += [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in parents - {".", folder}]
        if "recursive=true" not in self.path.lower():
            inside = [entry for entry in inside if "/" not in entry["path"].removeprefix(start)]
        self._send_json(inside)

    def _send_file(self, name: str, revision: str, path: str) -> None:
        repository = self._repository(name, revision, content=True)
        if repository is None:
            return
        if path not in repository.files:
            self._refuse(404, "EntryNotFound")
            return
        entry = repository.entry(path)
        content, start = repository.stored.get(path, repository.files[path]), 0
        asked = self.headers.get("Range")
        if asked and (found := re.fullmatch(r"bytes=(\d+)-", asked)):
            start = int(found[1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("ETag", f'"{entry.get("lfs", entry)["oid"]}"')
        self.end_headers()
        if self.command == "HEAD":
            return
        repository.ranges.append((path, asked))
        if stall := repository.stall_after.get(path):
            self.wfile.write(content[start : start + stall])
            self.closed.wait()
        elif repository.cut.get(path):
            repository.cut[path] -= 1
            self.wfile.write(content[start : (start + len(content)) // 2])
            self.close_connection = True
        else:
            self.wfile.write(content[start:])

    def _send_json(self, value: Any, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
