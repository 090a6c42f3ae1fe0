"""Keeps the comparison keys of all header spellings, so that no start has to work them out.

python tools/spellings.py          write them
python tools/spellings.py --check  change nothing; fail if they are out of date
"""

from __future__ import annotations

import json
import sys

from klientel.ingest.mapping.names import key
from klientel.ingest.mapping.synonyms import KEPT, state, texts


def main() -> int:
    """Write or check the file; 1 if it is out of date."""
    keys = [key(text) for _, _, text in texts()]
    wanted = json.dumps({"of": state(), "keys": keys}, separators=(",", ":")) + "\n"
    found = KEPT.read_text(encoding="ascii") if KEPT.exists() else ""
    if "--check" not in sys.argv[1:]:
        KEPT.write_text(wanted, encoding="ascii")
    elif found != wanted:
        print("The kept spellings are out of date: run python tools/spellings.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
