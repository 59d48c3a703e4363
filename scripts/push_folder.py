"""Push a data set or a model to the Hugging Face hub: results/{task}/pushed/{artefact}.json

python scripts/push_folder.py --folder results/tiny-math/dataset --record results/tiny-math/pushed/dataset.json \
--repo ME/tiny-math --repo-type dataset --private true --token-env HF_TOKEN
"""

import os
from pathlib import Path
from typing import Literal

from reversegen.core.errors import BadInput
from reversegen.core.files import write_json
from reversegen.models.hub import push_folder
from reversegen.stage import run


def main(
    folder: Path, record: Path, repo: str, repo_type: Literal["model", "dataset"], private: bool, token_env: str
) -> None:
    """Push the folder and write its commit to `record`. `token_env` names the environment variable that holds the token."""
    token = os.environ.get(token_env, "")
    if not token:
        raise BadInput(
            f"push.token_env: the environment variable {token_env} is empty; export a token with write access under this name"
        )
    write_json(record, push_folder(folder, repo, repo_type, token, private=private))


if __name__ == "__main__":
    run(main)
