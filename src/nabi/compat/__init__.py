"""Code written for `transformers`, on nabi: its submodules and what nabi's rooms have under another name, as tables.

    names.py       public name -> where nabi keeps it, beyond what nabi's own rooms offer
    submodules.py  `transformers.trainer_utils` -> the modules of nabi that its names come from
    families.py    the same for `transformers.models.…`, made from the tables of the families
    left_out.py    names that nabi leaves out on purpose: why, and what to use
    lending.py     the import machinery that answers `import transformers` with all this

The other files hold small things that code asks for and nabi itself has no use of. `python -m nabi.drop_in script.py`
switches it on.
"""

from __future__ import annotations

# What `transformers.__version__` answers. It is the last version 4: scripts, courses and libraries that ask take their
# ways of version 4 then, whose names and defaults nabi has; for 5 they reach for internals of its weight conversion.
VERSION = "4.57.1"
