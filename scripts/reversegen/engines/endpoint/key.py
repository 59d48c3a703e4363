"""The key of an endpoint, read from an environment variable."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reversegen.config.models import Endpoint
from reversegen.core.errors import BadInput


def endpoint_key(endpoint: Endpoint, environment: Mapping[str, str]) -> str:
    """The key without surrounding blanks. Raises BadInput, which never shows the key, if no request could carry it."""
    key = environment.get(endpoint.api_key_env, "").strip()
    variable = (
        f"config/models.yaml: endpoint {endpoint.base_url}: the environment variable {endpoint.api_key_env} holds "
    )
    if not key:
        raise BadInput(f"{variable}no key; export it before starting snakemake")
    if not re.fullmatch("[!-~]+", key):
        raise BadInput(f"{variable}spaces or other characters that no key has; export the key without them")
    return key
