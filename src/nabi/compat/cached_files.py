"""Single files of a repository, from the folder, the cache or the Hub, and the places of the caches."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from huggingface_hub import constants

from ..hub import ADAPTER, HubUnreachable, Repository
from ..hub import PushToHubMixin as PushToHubMixin
from . import VERSION

TRANSFORMERS_CACHE = PYTORCH_TRANSFORMERS_CACHE = PYTORCH_PRETRAINED_BERT_CACHE = default_cache_path = (
    constants.HF_HUB_CACHE
)
HF_MODULES_CACHE = str(Path(constants.HF_HOME) / "modules")
TRANSFORMERS_DYNAMIC_MODULE_NAME = "transformers_modules"
HUGGINGFACE_CO_RESOLVE_ENDPOINT = constants.ENDPOINT
HUGGINGFACE_CO_PREFIX = constants.ENDPOINT + "/{model_id}/resolve/{revision}/{filename}"
ENV_VARS_TRUE_VALUES = {"1", "ON", "YES", "TRUE"}
ENV_VARS_TRUE_AND_AUTO_VALUES = ENV_VARS_TRUE_VALUES | {"AUTO"}
# Options that say how a missing file is taken, or that say nothing here.
_OTHERS = (
    "_raise_exceptions_for_gated_repo",
    "_raise_exceptions_for_connection_errors",
    "_commit_hash",
    "repo_type",
    "user_agent",
)


def cached_file(path_or_repo_id: str | os.PathLike[str], filename: str, **options: Any) -> str | None:
    """The path of a file in a folder or repository; options as in from_pretrained.

    Raises OSError if it is not there, or gives None where _raise_exceptions_for_missing_entries=False.
    """
    strict = options.pop("_raise_exceptions_for_missing_entries", True)
    for name in _OTHERS:
        options.pop(name, None)
    repository = Repository.open(path_or_repo_id, options)
    try:
        return str(repository.file(filename))
    except (OSError, HubUnreachable):
        if strict:
            raise
        return None


def cached_files(path_or_repo_id: str | os.PathLike[str], filenames: list[str], **options: Any) -> list[str] | None:
    """The same for several files; those that are missing and may be are left out."""
    found = [cached_file(path_or_repo_id, name, **options) for name in filenames]
    return [path for path in found if path is not None] or None


def has_file(path_or_repo: str | os.PathLike[str], filename: str, **options: Any) -> bool:
    return cached_file(path_or_repo, filename, _raise_exceptions_for_missing_entries=False, **options) is not None


def get_checkpoint_shard_files(
    path_or_repo_id: str | os.PathLike[str], index_filename: str, **options: Any
) -> tuple[list[str], dict[str, Any]]:
    """The paths of the shards that an index names, and what the index says of them."""
    index = json.loads(Path(index_filename).read_text(encoding="utf-8"))
    names = sorted(set(index["weight_map"].values()))
    known = {
        **index.get("metadata", {}),
        "all_checkpoint_keys": list(index["weight_map"]),
        "weight_map": dict(index["weight_map"]),
    }
    return [path for name in names if (path := cached_file(path_or_repo_id, name, **options))], known


def find_adapter_config_file(model_id: str | os.PathLike[str], **options: Any) -> str | None:
    """The path of a checkpoint's adapter_config.json, if it is an adapter."""
    return cached_file(model_id, ADAPTER, _raise_exceptions_for_missing_entries=False, **options)


def is_offline_mode() -> bool:
    return constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE", "").upper() in ENV_VARS_TRUE_VALUES


def is_remote_url(url_or_filename: str) -> bool:
    return url_or_filename.startswith(("http://", "https://"))


def extract_commit_hash(resolved_file: str | None, commit_hash: str | None = None) -> str | None:
    """The commit in the path of a file in the Hub's cache."""
    found = re.search(r"snapshots/([0-9a-f]{40})/", str(resolved_file).replace(os.sep, "/"))
    return commit_hash or (found[1] if found else None)


def http_user_agent(user_agent: dict[str, Any] | str | None = None) -> str:
    """What requests say of who asks."""
    said = (
        "; ".join(f"{key}/{value}" for key, value in user_agent.items()) if isinstance(user_agent, dict) else user_agent
    )
    return f"transformers/{VERSION}; nabi" + (f"; {said}" if said else "")


def get_full_repo_name(model_id: str, organization: str | None = None, token: str | None = None) -> str:
    """owner/model_id, where the owner is the organization or who is logged in."""
    if organization is None:
        from huggingface_hub import whoami

        organization = whoami(token)["name"]
    return f"{organization}/{model_id}"


def send_example_telemetry(*_: Any, **__: Any) -> None:
    """nabi sends nothing about its users."""
