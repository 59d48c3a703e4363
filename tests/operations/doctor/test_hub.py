"""Models and data that cannot be fetched, and keys that are missing, are found."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.support.doctor import configuration, states
from tests.support.workflows import Workflow

from reversegen.config.models import Limits
from reversegen.core.errors import BadInput
from reversegen.engines.endpoint.connection import Connection
from reversegen.operations.doctor.hub import check_hub, check_keys

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """A server that answers as the hub does for a readable, a gated and an unknown model."""

    def do_HEAD(self) -> None:
        asked = self.path.split("/resolve/")[0].removeprefix("/datasets").strip("/")
        status, error = {"meta-llama/Meta-Llama-3-8B": (403, "GatedRepo"), "openai/gsm8k": (401, "RepoNotFound")}.get(
            asked, (200, "")
        )
        self.send_response(status)
        self.send_header("Content-Length", "10")
        if error:
            self.send_header("X-Error-Code", error)
        else:
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", '"1"')
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_gated_and_unknown_models_of_the_hub_are_found(
    workflow: Workflow, hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    names = ["meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-8B-Instruct", "Qwen/Qwen2.5-Math-7B-Instruct"]
    names += [
        "sentence-transformers/all-MiniLM-L6-v2",
        "openai/gsm8k",
        "Vivacem/MMIQC",
        "xinlai/Math-Step-DPO-10K",
        "qintongli/GSM-Plus",
    ]
    (workflow.folder / "config/lock.yaml").write_text(json.dumps(dict.fromkeys(names, COMMIT)))
    found = list(check_hub("math", configuration(workflow), workflow.folder))
    assert [(f.state, f.text) for f in found] == [
        ("stops", "no access to meta-llama/Meta-Llama-3-8B"),
        ("stops", "the hub has no such repository, at the commit of config/lock.yaml: openai/gsm8k"),
        ("ok", f"readable: {', '.join(sorted({*names} - {'meta-llama/Meta-Llama-3-8B', 'openai/gsm8k'}))}"),
    ]


def model_folder(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).touch()


def test_files_on_this_machine_are_not_looked_up_on_the_hub(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    downloads = workflow.folder / "resources/downloads"
    (downloads / "data").mkdir(parents=True)
    task = configuration(workflow).task("math")
    for source in (*task.data.seeds.values(), *task.data.tests.values()):
        assert source.hub
        (downloads / f"data/{source.hub.file_name}.jsonl").touch()
    for name in ("llama3-8b", "llama3-8b-instruct", "minilm"):
        model_folder(downloads / "models" / name)
    [lock, finding] = check_hub("math", configuration(workflow), workflow.folder)
    assert (lock.state, lock.text) == ("stops", "config/lock.yaml has no commit of Qwen/Qwen2.5-Math-7B-Instruct")
    assert finding.state == "skipped"
    assert "the hub was not reached: access to Qwen/Qwen2.5-Math-7B-Instruct was not tried" in finding.text
    model_folder(downloads / "models/qwen2.5-math-7b-instruct")
    assert states(check_hub("math", configuration(workflow), workflow.folder)) == [("hub", "ok")]
    (downloads / "models/llama3-8b/config.json").unlink()
    broken = next(iter(check_hub("math", configuration(workflow), workflow.folder)))
    assert (broken.state, "it has no config.json" in broken.text) == ("stops", True)


@pytest.mark.parametrize("value", ["sk-canary", " sk-canary\n", "", " ", "\t\n", "sk canary", "sk-canary\u00fc"])
def test_a_key_is_accepted_if_the_job_accepts_it(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    places = configuration(workflow)
    endpoint = places.models["gpt-4o-mini"].endpoint
    assert endpoint
    monkeypatch.setenv(endpoint.api_key_env, value)
    [finding] = check_keys("honesty", places, os.environ)
    text = "OPENAI_API_KEY is set"
    try:
        Connection(endpoint, Limits())
    except BadInput as error:
        text = str(error)
    assert finding.text == text
    assert (finding.state == "ok") == (value.strip() == "sk-canary")
