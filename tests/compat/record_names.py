"""Records the public names of an installed transformers: run once with 4.57.1 and once with 5.23.0.

    python record_names.py public_names.json

writes {version: {module: "name name …"}}, beside what the file already holds of other versions.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import transformers


def main(file: Path) -> None:
    recorded = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    homes = transformers._class_to_module
    names: dict[str, list[str]] = defaultdict(list)
    for name in sorted(dir(transformers)):
        if name in homes and "." not in name and not name.startswith("_") and not homes[name].startswith("utils.dummy"):
            names[homes[name]].append(name)
    recorded[transformers.__version__] = {home: " ".join(found) for home, found in sorted(names.items())}
    file.write_text(json.dumps(recorded, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
