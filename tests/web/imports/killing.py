"""Run by the tests in a process of its own, to be killed: does one thing to a workspace, as told by arguments."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    what, folder, *rest = sys.argv[1:]
    from klientel.web import home as homes

    home = homes.find(folder)
    import portfolio as p

    from klientel.web import backups, books
    from klientel.web.imports import importing, tidying, undoing

    assert importing
    assert undoing
    if what == "watch":
        # What a reader sees, again and again: rows and sum of the lines, and the number of companies.
        import json

        from klientel.web.records.models import Company

        print("ready", flush=True)
        while True:
            with books.reading():
                book = books.open_book(home, lenient=True)
                companies = Company.objects.count()
            lines = book.tables["lines"]
            row = lines.agg(n=lines.count(), s=lines.amount.sum()).to_pyarrow().to_pylist()[0]
            print(json.dumps([row["n"], str(row["s"]), companies]), flush=True)
    print("ready", flush=True)
    match what:
        case "import":
            p.bring(home, Path(rest[0]))
        case "undo":
            p.take_back(home, int(rest[0]))
        case "backup":
            backups.write(home, Path(rest[0]), progress=p.silent)
        case "tidy":
            tidying.tidy(home)
    print("done", flush=True)
