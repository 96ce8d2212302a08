"""A commit or a branch, named when loading, from a cache of one's own choice."""

import os

from transformers import AutoConfig, AutoModel

commit = "0123456789abcdef0123456789abcdef01234567"
cache = os.path.join(os.environ["HF_HOME"], "hub")
by_branch = AutoModel.from_pretrained("distilbert-base-uncased", revision="main", cache_dir=cache)
by_commit = AutoModel.from_pretrained("distilbert-base-uncased", revision=commit, local_files_only=True)
one, other = by_branch.state_dict(), by_commit.state_dict()
assert list(one) == list(other) and all(one[key].equal(other[key]) for key in one)
try:
    AutoConfig.from_pretrained("nobody/has-such-a-model")
except OSError as error:
    assert len(str(error)) > 20
else:
    raise AssertionError("a model that is nowhere cannot be loaded")
