"""Where a checkpoint's files are: in a local folder, or in a repository of the Hub seen through its cache.

A file that the cache holds is never asked for again, nor is one that the cache knows to be missing: a second
run makes no network request at all, for the branch `main` too (`force_download=True` asks for news). Before
the first download the Hub gets a short deadline to answer, because `huggingface_hub` itself retries a dead
connection for a long time, and because none of its time-outs covers a name server that never answers.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0  # for the Hub's first answer; the variable HF_HUB_ETAG_TIMEOUT overrides it
SILENCE_BELIEVED_SECONDS = 30.0  # so long a Hub that gave no answer is not asked again
ANSWER_BELIEVED_SECONDS = 5.0  # so long a Hub that gave one is asked with no new deadline

ADAPTER = "adapter_config.json"  # of peft, beside the weights of an adapter
_NO_LONGER_USED = ("resume_download", "proxies")  # taken and ignored, as huggingface_hub does since 1.0


class HubUnreachable(OSError):
    """A file is not in the cache and the Hub cannot be asked: no network, no answer in time, or offline."""


@dataclass(frozen=True)
class Repository:
    """A checkpoint's files: those of the folder `name`, or of the Hub's repository `name` at `revision`.

    `revision` is a branch, tag or commit (default `main`); `token` a string, None (send the saved one, if
    any), True (there must be) or False (send none); `subfolder` a folder inside, the only one that a local
    folder heeds too.
    """

    name: str
    revision: str | None = None
    cache_dir: str | Path | None = None
    token: str | bool | None = None
    local_files_only: bool = False
    force_download: bool = False
    subfolder: str = ""

    @classmethod
    def open(cls, name_or_path: str | os.PathLike[str], options: dict[str, Any]) -> Repository:
        """Take the hub's own options out of a `from_pretrained`'s keyword arguments, and name the repository.

        Raises OSError if `name_or_path` is neither a folder nor a possible repository id.
        """
        if not isinstance(name_or_path, (str, os.PathLike)):
            raise TypeError(
                f"expected the name of a repository, or the path of a folder, got {type(name_or_path).__name__}"
            )
        name = os.fspath(name_or_path)
        if name.startswith("~"):
            name = os.path.expanduser(name)
        for option in _NO_LONGER_USED:
            options.pop(option, None)
        if gguf := options.pop("gguf_file", None):
            raise ValueError(f"gguf_file={gguf!r}: nabi reads no GGUF files; use the float checkpoint it was made from")
        old_token = options.pop("use_auth_token", None)
        token = options.pop("token", None)
        repository = cls(
            name=name,
            revision=options.pop("revision", None),
            cache_dir=options.pop("cache_dir", None),
            token=old_token if token is None else token,
            local_files_only=bool(options.pop("local_files_only", False)),
            force_download=bool(options.pop("force_download", False)),
            subfolder=options.pop("subfolder", None) or "",
        )
        if not repository.is_local:
            _check_id(name)
        return repository

    @property
    def is_local(self) -> bool:
        """Whether `name` is a folder here. A folder wins over a repository of the same name."""
        return os.path.isdir(self.name)

    def find(self, *filenames: str) -> Path | None:
        """The first of these files that exists (fetched if need be), else None.

        With no network, what a cached repository lacks counts as missing. Raises OSError where nothing can
        be known: no such repository, no access, or no network and nothing of the repository in the cache.
        """
        for filename in filenames:
            path = self._find_one(filename)
            if path is not None:
                return path
        return None

    def file(self, filename: str) -> Path:
        """The file's path (fetched if need be), or OSError that names the file, the place and the remedy."""
        if self.is_local:
            path = self._local_path(filename)
            if path.is_file():
                return path
            raise FileNotFoundError(_missing_in_folder(path))
        found = self._fetch(filename)
        if found is None:
            raise FileNotFoundError(
                f"{self._place} has no file {self._inside(filename)!r}. It may be in a subfolder "
                f"(subfolder=…) or at another revision: see {_endpoint()}/{self.name}/tree/{self._revision}."
            )
        return found

    def base(self) -> Repository | None:
        """If this holds an adapter of peft, the repository of the model that it was made for.

        Raises OSError if that is not to be found, ValueError if the adapter does not name it.
        """
        path = self.find(ADAPTER)
        if path is None:
            return None
        try:
            keys = json.loads(path.read_text(encoding="utf-8"))
            name = keys["base_model_name_or_path"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} names no base_model_name_or_path, so nobody knows what it adapts") from error
        options = {key: getattr(self, key) for key in ("cache_dir", "token", "local_files_only", "force_download")}
        try:
            return Repository.open(name, {**options, "revision": keys.get("revision")})
        except (OSError, TypeError) as error:
            raise OSError(f"{self.name} is an adapter of {name!r}, which cannot be opened: {error}") from error

    def _find_one(self, filename: str) -> Path | None:
        if self.is_local:
            path = self._local_path(filename)
            return path if path.is_file() else None
        try:
            return self._fetch(filename)
        except HubUnreachable:
            if self._cached_commit() is None:
                raise
            if not self.local_files_only and not is_offline():
                _warn_once(f"The Hub does not answer, so {self._place} has only the files in the cache.")
            return None

    def _local_path(self, filename: str) -> Path:
        return Path(self.name, self._inside(filename))

    def _inside(self, filename: str) -> str:
        """The path within the repository. Index files from the Hub name files too: none may lead outside."""
        inside = PurePosixPath(self.subfolder.replace("\\", "/"), filename)
        if inside.is_absolute() or ".." in inside.parts or "\\" in filename or ":" in filename:
            raise OSError(f"{str(inside)!r} leads out of {self.name!r}: give a relative path with no '..'.")
        return str(inside)

    @property
    def _revision(self) -> str:
        return self.revision or "main"

    @property
    def _place(self) -> str:
        return f"{self.name!r} (revision {self._revision!r})"

    def _cached_commit(self) -> str | None:
        """The commit of this revision that the cache holds files of, or None."""
        folder = Path(self._cache, "models--" + self.name.replace("/", "--"))
        reference = folder / "refs" / self._revision
        commit = reference.read_text().strip() if reference.is_file() else self._revision
        return commit if (folder / "snapshots" / commit).is_dir() else None

    @property
    def _cache(self) -> str:
        from huggingface_hub import constants

        return str(self.cache_dir or constants.HF_HUB_CACHE)

    def _fetch(self, filename: str) -> Path | None:
        """From the cache, else from the Hub; None if the repository has no such file."""
        inside = self._inside(filename)
        if not self.force_download:
            from huggingface_hub import try_to_load_from_cache

            cached = try_to_load_from_cache(self.name, inside, self._cache, self._revision)
            if cached is not None:  # a path, or the library's mark for "known to be missing"
                return Path(cached) if isinstance(cached, str) else None
        reason = self._why_not_online(inside)
        if reason:
            raise HubUnreachable(
                f"{inside!r} of {self._place} is not in the cache {self._cache!r}, and {reason}, or name "
                "a local folder."
            )
        return self._download(inside)

    def _why_not_online(self, inside: str) -> str:
        """Why the Hub cannot be asked, with the remedy; or "" if it can."""
        if self.local_files_only:
            return "local_files_only=True forbids the network. Leave it out once"
        if is_offline():
            return "HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids the network. Unset it once"
        from huggingface_hub import hf_hub_url

        silence = _why_silent(hf_hub_url(self.name, inside, revision=self._revision), self.token)
        if not silence:
            return ""
        return (
            f"{_endpoint()} cannot be reached: {silence}. Check the connection and the proxy (HTTPS_PROXY), "
            "raise HF_HUB_ETAG_TIMEOUT (seconds) on a slow line"
        )

    def _download(self, inside: str) -> Path | None:
        from huggingface_hub import errors

        # The files of one load belong to one commit, though the branch may have moved since the first came.
        pinned = None if self.force_download else self._cached_commit()
        try:
            return self._request(inside, pinned or self._revision)
        except errors.RevisionNotFoundError as error:
            if pinned in (None, self._revision):
                raise OSError(
                    f"The repository {self.name!r} has no revision {self._revision!r} (asked for "
                    f"{inside!r}). Check revision=…: a branch, tag or commit of {_endpoint()}/{self.name}."
                ) from error
        return self._request(inside, self._revision)  # history was rewritten: the pinned commit is gone

    def _request(self, inside: str, revision: str) -> Path | None:
        """One download, its errors said plainly; RevisionNotFoundError passes through."""
        from huggingface_hub import errors, hf_hub_download

        try:
            return Path(
                hf_hub_download(
                    self.name,
                    inside,
                    revision=revision,
                    cache_dir=self.cache_dir,
                    token=self.token,
                    force_download=self.force_download,
                    library_name="nabi",
                )
            )
        except errors.RevisionNotFoundError:
            raise
        except errors.GatedRepoError as error:
            raise PermissionError(
                f"The repository {self.name!r} is gated: {inside!r} is only for those who accepted its "
                f"terms. Accept them on {_endpoint()}/{self.name}, then `hf auth login` or token=…."
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise FileNotFoundError(
                f"{self.name!r} is no folder here and no repository that {_endpoint()} shows you (asked "
                f"for {inside!r}). Check the spelling; if it is private, `hf auth login` or pass token=…."
            ) from error
        except errors.LocalEntryNotFoundError as error:
            raise HubUnreachable(
                f"{inside!r} of {self.name!r} is not in the cache, and its download failed: "
                f"{_one_line(error.__cause__ or error)}. Try again, or name a local folder."
            ) from error
        except errors.EntryNotFoundError:
            return None
        except errors.HfHubHTTPError as error:
            raise OSError(
                f"{inside!r} of {self._place} was refused. {_one_line(error)} Check that the token (token=… "
                "or `hf auth login`) is valid and may read this repository."
            ) from error


def upload(
    folder: str | os.PathLike[str],
    repo_id: str,
    *,
    token: str | bool | None = None,
    private: bool | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
    commit_description: str | None = None,
    create_pr: bool = False,
    path_in_repo: str | None = None,
    ignore: list[str] | None = None,
) -> str:
    """Create the repository unless it is there, upload the folder as one commit, and return the commit's URL.

    path_in_repo: the folder there, default its root. ignore: patterns of files that stay here.
    Raises OSError if the folder is missing or the Hub refuses.
    """
    from huggingface_hub import HfApi, errors

    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no folder {os.fspath(folder)!r} to upload to {repo_id!r}.")
    _check_id(repo_id)
    api = HfApi(token=token, library_name="nabi")
    try:
        full_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id  # with the owner in front
        if revision is not None and not create_pr:
            api.create_branch(full_id, branch=revision, exist_ok=True)
        commit = api.upload_folder(
            repo_id=full_id,
            folder_path=Path(folder),
            revision=revision,
            commit_message=commit_message or "Upload with nabi",
            commit_description=commit_description,
            create_pr=create_pr,
            path_in_repo=path_in_repo,
            ignore_patterns=ignore,
        )
    except errors.HfHubHTTPError as error:
        raise OSError(
            f"The upload of {os.fspath(folder)!r} to {repo_id!r} was refused: {_one_line(error)} Run "
            "`hf auth login`, or pass token=… of an account that may write there."
        ) from error
    return commit.commit_url


class PushToHubMixin:
    """What a model, a configuration, a tokenizer, a processor and a pipeline can do beside `save_pretrained`."""

    def push_to_hub(
        self,
        repo_id: str,
        *,
        organization: str | None = None,
        use_auth_token: str | bool | None = None,
        use_temp_dir: bool | None = None,
        max_shard_size: int | str | None = None,
        safe_serialization: bool | None = None,
        **options: Any,
    ) -> str:
        """Save to a temporary folder and upload it; options as in `upload`. Returns the commit's URL.

        max_shard_size and safe_serialization are those of a model's `save_pretrained`; organization and
        use_auth_token are version 4's for the owner in repo_id and for token. use_temp_dir has no effect.
        """
        if organization is not None:
            repo_id = f"{organization}/{repo_id.rpartition('/')[2]}"
        if use_auth_token is not None:
            options.setdefault("token", use_auth_token)
        given = {"max_shard_size": max_shard_size, "safe_serialization": safe_serialization}
        with tempfile.TemporaryDirectory() as folder:
            save = self.save_pretrained  # type: ignore[attr-defined]
            save(folder, **{name: value for name, value in given.items() if value is not None})
            return upload(folder, repo_id, **options)

    @classmethod
    def register_for_auto_class(cls, auto_class: str | None = None) -> None:
        """For transformers, which saves a class's code beside its checkpoint: nabi does not, and says so."""
        logger.warning(
            "The code of %s is not saved beside its checkpoints, for nabi executes nothing from there: whoever loads "
            "them imports the class, and registers it by AutoConfig.register and AutoModel.register",
            cls.__name__,
        )


def _check_id(name: str) -> None:
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    if os.path.isfile(name):
        raise NotADirectoryError(f"{name!r} is a file. Give the folder that holds the checkpoint.")
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise FileNotFoundError(
            f"{name!r} is neither a folder (looked from {os.getcwd()!r}) nor an id of the Hub, which has the "
            "form 'name' or 'owner/name' with letters, digits, '-', '_' and '.'. Check the spelling."
        ) from error


def _missing_in_folder(path: Path) -> str:
    if not path.parent.is_dir():
        return f"There is no folder {str(path.parent)!r} to hold {path.name!r}. Check subfolder=…."
    present = sorted(entry.name for entry in path.parent.iterdir())
    shown = ", ".join(present[:12]) + (", …" if len(present) > 12 else "")
    return f"There is no {path.name!r} in the folder {str(path.parent)!r}, which holds: {shown or 'nothing'}."


def is_offline() -> bool:
    from huggingface_hub import constants

    # The library reads its variable once, at import; a notebook that sets it later means it too.
    switches = [os.environ.get(name, "").upper() for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")]
    return constants.HF_HUB_OFFLINE or any(switch in {"1", "ON", "YES", "TRUE"} for switch in switches)


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@cache
def _warn_once(message: str) -> None:
    logger.warning(message)


# endpoint -> when it was asked, and why it was silent ("" if it was not)
_looks: dict[str, tuple[float, str]] = {}


def _why_silent(url: str, token: str | bool | None) -> str:
    """Why the Hub gives no answer, or "" if it does: any answer will do, a refusal too."""
    endpoint = _endpoint()
    if endpoint in _looks:
        when, reason = _looks[endpoint]
        believed = SILENCE_BELIEVED_SECONDS if reason else ANSWER_BELIEVED_SECONDS
        if time.monotonic() - when < believed:
            return reason
    reason = _ask(url, token)
    _looks[endpoint] = (time.monotonic(), reason)
    return reason


def _ask(url: str, token: str | bool | None) -> str:
    from huggingface_hub import errors, get_hf_file_metadata

    patience = float(os.environ.get("HF_HUB_ETAG_TIMEOUT") or PATIENCE_SECONDS)
    outcome: list[Exception | None] = []

    def ask() -> None:
        try:
            get_hf_file_metadata(url, token=token, timeout=patience)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    # In a thread, for a silent name server heeds no time-out; a daemon, so that it cannot hold up the exit.
    thread = threading.Thread(target=ask, name="nabi-hub", daemon=True)
    thread.start()
    thread.join(patience)
    if not outcome:
        return f"no answer within {patience:g} seconds"
    error = outcome[0]
    if isinstance(error, errors.LocalTokenNotFoundError):
        raise error
    if error is None or (isinstance(error, errors.HfHubHTTPError) and error.response.status_code < 500):
        return ""
    return _one_line(error)
