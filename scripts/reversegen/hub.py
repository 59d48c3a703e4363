"""Models and data from the Hugging Face hub, at the revision that config/lock.yaml gives, and files held to a hash."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import urllib.request
from pathlib import Path

from reversegen.artefacts import building_folder, write_bytes, write_text
from reversegen.configuration import HubData, UrlData
from reversegen.errors import BadInput

log = logging.getLogger("reversegen")


def fetch_model(repo: str, revision: str, folder: Path) -> None:
    """Download configuration, tokenizer and safetensors weights into `folder`, with a manifest.

    Raises BadInput for a revision that is not locked, and for a model that the hub does not give.
    """
    _check_revision(repo, revision)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    with building_folder(folder, hub=repo, revision=revision) as own:
        try:
            snapshot_download(
                repo,
                revision=revision,
                local_dir=own,
                allow_patterns=["*.json", "*.safetensors", "tokenizer.model", "*.jinja"],
            )
        except (HfHubHTTPError, OSError) as error:
            raise BadInput(
                f"{repo} at {revision}: {' '.join(str(error).split())[:300]}; a gated model needs its licence accepted on the "
                "hub and HF_TOKEN in the environment"
            ) from error
        shutil.rmtree(own / ".cache", ignore_errors=True)  # the download's own bookkeeping holds times


def fetch_data(source: HubData, revision: str, rows: Path) -> None:
    """Download one split and write it as JSON Lines. Raises BadInput as `fetch_model` does."""
    _check_revision(source.repo, revision)
    from datasets import load_dataset

    try:
        split = load_dataset(source.repo, source.name, split=source.split, revision=revision)
    except (OSError, ValueError) as error:
        raise BadInput(f"{source.repo} at {revision}: {' '.join(str(error).split())[:300]}") from error
    write_text(rows, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in split))
    log.info("%s: %d rows", source.repo, len(split))


def fetch_file(source: UrlData, file: Path) -> None:
    """Download one file. Raises BadInput where the server gives none, or its content is not the one that is pinned."""
    try:
        with urllib.request.urlopen(source.address, timeout=60) as response:
            content = response.read()
    except OSError as error:
        raise BadInput(f"{source.address}: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise BadInput(
            f"{source.address}: its SHA-256 is {found}, not {source.sha256}; it has changed since it was pinned"
        )
    write_bytes(file, content)
    log.info("%s: %d bytes", source.address, len(content))


def _check_revision(repo: str, revision: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise BadInput(
            f"config/lock.yaml: {repo}: no commit to fetch; add a line `{repo}: COMMIT` with its 40 digits from the hub"
        )
