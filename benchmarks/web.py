"""The pages on a large workspace: p50 and p95 per page, requests per second with several people, cold and warm.

python benchmarks/web.py --data ~/.cache/klientel-bench [--customers 100000] [--interactions 1e6] [--lines 1e7]

The workspace is made by the command line once and kept; the server is `klientel serve` in a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TARGETS = {"list": 0.1, "customer": 0.1, "analysis": 1.0, "analysis, cold": 5.0, "intake": 60.0}
KLIENTEL = str(Path(sys.executable).with_name("klientel"))
ANALYSES = ("abc", "rfm", "concentration", "retention", "churn_risk")


def main() -> int:
    """Make the workspace, serve it, ask; prints a table and how many targets were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="~/.cache/klientel-bench", help="folder for files and workspaces")
    parser.add_argument("--customers", default="1e5")
    parser.add_argument("--interactions", default="1e6")
    parser.add_argument("--lines", default="1e7")
    parser.add_argument("--repeat", type=int, default=50, help="requests for each page")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20, help="of the load by several people")
    parser.add_argument(
        "--brought", default="1e6", help="order lines that are imported through the pages and undone"
    )
    parser.add_argument("--make-only", action="store_true")
    given = parser.parse_args()
    folder = Path(given.data).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [int(float(n)) for n in (given.customers, given.interactions, given.lines)]
    workspace = made(folder, *sizes)
    if given.make_only:
        return 0
    cookie, pages, cold = prepared(workspace)
    port = _free_port()
    with (folder / "serve.log").open("w") as log:
        server = subprocess.Popen(
            [KLIENTEL, "serve", str(workspace), "--port", str(port)],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(port)
        missed = _measure(port, cookie, pages, cold, given.repeat)
        _load(port, cookie, pages, given.people, given.seconds)
        missed += _intake(port, cookie, folder, sizes[0], int(float(given.brought)))
        print(f"memory of the server's processes: {_memory(server.pid):.2f} GB at most")
    finally:
        server.terminate()
        server.wait(30)
    return missed


def made(folder: Path, customers: int, interactions: int, lines: int) -> Path:
    """The workspace, from files that DuckDB writes; kept for the next time."""
    import duckdb

    workspace = folder / f"web-{customers}-{interactions}-{lines}"
    if (workspace / "workspace.json").exists():
        return workspace
    shutil.rmtree(workspace, ignore_errors=True)
    files = folder / f"{workspace.name}-files"
    files.mkdir(exist_ok=True)
    con = duckdb.connect()
    con.execute("SET memory_limit = '2GB'")
    key = "CAST(100000 + {} AS VARCHAR)"
    tables = {
        "reps.csv": "SELECT 'R' || r AS rep_id, 'Seller ' || r AS name FROM range(20) t(r)",
        "customers.csv": (
            f"SELECT {key.format('r')} AS customer_id, "
            "['Nord','Süd','Alpen','Main','Rhein','Elbe'][CAST(hash(r) % 6 AS INTEGER) + 1] || "
            "['bau','technik','handel','werk','logistik','druck'][CAST(hash(r + 1) % 6 AS INTEGER) + 1] || ' ' || r || "
            "[' GmbH',' AG',' KG'][CAST(hash(r + 2) % 3 AS INTEGER) + 1] AS name, "
            "['Ulm','Köln','Bremen','Graz','Basel','Kiel'][CAST(hash(r + 3) % 6 AS INTEGER) + 1] AS city, "
            "['building','food','machines','chemistry'][CAST(hash(r + 4) % 4 AS INTEGER) + 1] AS industry, "
            f"'R' || hash(r + 5) % 20 AS owner_rep_id FROM range({customers}) t(r)"
        ),
        "interactions.csv": (
            f"SELECT 'I' || r AS interaction_id, {key.format(f'hash(r) % {customers}')} AS customer_id, "
            "'R' || hash(r + 1) % 20 AS rep_id, "
            "DATE '2021-01-01' + CAST(hash(r + 2) % 1095 AS INTEGER) AS date, "
            "['call','visit','meeting','email'][CAST(hash(r + 3) % 4 AS INTEGER) + 1] AS type, "
            f"CAST(hash(r + 4) % 90 + 5 AS INTEGER) AS duration_min FROM range({interactions}) t(r)"
        ),
        "order_lines.parquet": (
            "SELECT 'A' || (100000000 + r // 3) AS order_id, r % 3 + 1 AS line_no, "
            f"DATE '2019-01-01' + CAST(r // 3 * 1825 // {lines // 3 + 1} AS INTEGER) AS order_date, "
            f"{key.format(f'hash(r // 3) % {customers}')} AS customer_id, "
            "CAST(hash(r + 3) % 100000 / 100 + 1 AS DECIMAL(18,2)) AS net_amount "
            f"FROM range({lines}) t(r)"
        ),
    }
    for name, query in tables.items():
        form = "parquet" if name.endswith("parquet") else "csv"
        if not (files / name).exists():
            con.execute(f"COPY ({query}) TO '{files / name}' (FORMAT {form})")
    subprocess.run([KLIENTEL, "init", str(workspace), "--currency", "EUR"], check=True)
    began = time.perf_counter()
    subprocess.run([KLIENTEL, "import", str(workspace), str(files)], check=True, stdout=subprocess.DEVNULL)
    print(f"workspace imported in {time.perf_counter() - began:.0f} s", flush=True)
    return workspace


def prepared(workspace: Path) -> tuple[str, dict[str, tuple[str, str]], dict[str, str]]:
    """A session of an administrator; page -> (kind, path); analyses that are asked for the first time."""
    from datetime import UTC, datetime

    from klientel.web import home

    found = home.find(workspace)
    from django.db import connections
    from django.test import Client

    from klientel.web import results
    from klientel.web.accounts import services
    from klientel.web.accounts.models import User
    from klientel.web.records.models import Company

    results.clear(found)
    user = User.objects.filter(username="bench").first() or services.add_user(
        None, "bench", datetime.now(UTC), role="administrator"
    )
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    company = Company.present.order_by("pk")[Company.present.count() // 2]
    pages = {
        "companies": ("list", "/companies"),
        "companies, searched": ("list", "/companies?q=technik"),
        "companies, sorted by city": ("list", "/companies?sort=city"),
        "interactions": ("list", "/interactions"),
        "customer": ("customer", f"/customers/{company.pk}"),
        "palette": ("list", "/search?q=rhein"),
        "home": ("list", "/"),
        "analyses": ("list", "/analyses"),
        **{f"analysis {name}": ("analysis", f"/analyses/{name}") for name in ANALYSES},
    }
    cookie = client.cookies["sessionid"].value
    connections.close_all()
    return cookie, pages, {name: f"/analyses/{name}" for name in ANALYSES}


def _measure(
    port: int, cookie: str, pages: dict[str, tuple[str, str]], cold: dict[str, str], repeat: int
) -> int:
    missed = 0
    for name, path in cold.items():
        took = _whole(port, cookie, path)
        late = took > TARGETS["analysis, cold"]
        missed += late
        print(f"{'analysis ' + name + ', cold':34} {took:7.2f} s{'  LATE' if late else ''}", flush=True)
    print(f"{'page':34} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}")
    for name, (kind, path) in pages.items():
        times, size = [], 0
        for _ in range(repeat):
            began = time.perf_counter()
            size = len(_get(port, cookie, path))
            times.append(time.perf_counter() - began)
        times.sort()
        p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
        late = p95 > TARGETS[kind]
        missed += late
        print(
            f"{name:34} {p50 * 1000:8.0f} {p95 * 1000:8.0f} {size // 1024:6}{'  LATE' if late else ''}",
            flush=True,
        )
    return missed


def _whole(port: int, cookie: str, path: str) -> float:
    """Seconds until an answer is there: the page, and what it fetches by itself, until nothing more is waited for."""
    import re

    began = time.perf_counter()
    asked = [path]
    while asked:
        text = _get(port, cookie, asked.pop()).decode()
        asked += [
            href.replace("&amp;", "&")
            for tag in re.findall(r"<[^>]*hx-trigger=\"[^\"]*(?:load|every)[^\"]*\"[^>]*>", text)
            for href in re.findall(r"hx-get=\"([^\"]+)\"", tag)
        ]
    return time.perf_counter() - began


def _load(port: int, cookie: str, pages: dict[str, tuple[str, str]], people: int, seconds: float) -> None:
    """Several people who click without a pause, for a while."""
    paths = [path for _, path in pages.values()]
    until = time.perf_counter() + seconds

    def clicks(i: int) -> list[float]:
        times, n = [], i
        while time.perf_counter() < until:
            began = time.perf_counter()
            _get(port, cookie, paths[n % len(paths)])
            times.append(time.perf_counter() - began)
            n += 1
        return times

    with ThreadPoolExecutor(people) as pool:
        times = sorted(t for found in pool.map(clicks, range(people)) for t in found)
    print(
        f"{people} people: {len(times) / seconds:.1f} requests a second, "
        f"p50 {times[len(times) // 2] * 1000:.0f} ms, p95 {times[int(len(times) * 0.95)] * 1000:.0f} ms"
    )


def _intake(port: int, cookie: str, folder: Path, customers: int, lines: int) -> int:
    """Import a file of order lines through the pages and undo it, from the click to the end that the page tells."""
    import duckdb

    file = folder / f"brought-{lines}.csv"
    if not file.exists():
        duckdb.execute(
            f"COPY (SELECT 'B' || (200000000 + r // 3) AS order_id, r % 3 + 1 AS line_no, "
            f"DATE '2024-01-01' + CAST(r // 3 * 180 // {lines // 3 + 1} AS INTEGER) AS order_date, "
            f"CAST(100000 + hash(r // 3) % {customers} AS VARCHAR) AS customer_id, "
            "CAST(hash(r + 3) % 100000 / 100 + 1 AS DECIMAL(18,2)) AS net_amount "
            f"FROM range({lines}) t(r)) TO '{file}' (FORMAT csv)"
        )
    began = time.perf_counter()
    draft = _post(port, cookie, "/imports/new/upload", file=file)
    seen = _done(port, cookie, draft)
    print(
        f"{'upload and look at ' + format(lines, ',') + ' lines':34} {time.perf_counter() - began:7.1f} s",
        flush=True,
    )
    began = time.perf_counter()
    shown = _done(port, cookie, _post(port, cookie, f"{seen}/commit"))
    brought = time.perf_counter() - began
    began = time.perf_counter()
    number = shown.rsplit("/", 1)[1]
    _done(port, cookie, _post(port, cookie, f"/imports/{number}/undo"))
    undone = time.perf_counter() - began
    missed = 0
    for name, took in (("import", brought), ("undo", undone)):
        late = took > TARGETS["intake"]
        missed += late
        print(f"{name + ' of them':34} {took:7.1f} s{'  LATE' if late else ''}", flush=True)
    return missed


def _post(port: int, cookie: str, path: str, file: Path | None = None) -> str:
    """Send a form as a page does; where it leads."""
    token = "b" * 32
    headers = {"Cookie": f"sessionid={cookie}; csrftoken={token}", "Host": "127.0.0.1"}
    body = f"csrfmiddlewaretoken={token}".encode()
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    if file is not None:
        parts = [
            ("csrfmiddlewaretoken", "", token.encode()),
            ("files", f'; filename="{file.name}"', file.read_bytes()),
        ]
        body = b"".join(
            f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"
            for name, more, value in parts
        ) + b"--edge--\r\n"  # fmt: skip
        headers["Content-Type"] = "multipart/form-data; boundary=edge"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status not in (302, 303):
        raise SystemExit(f"{path}: {answer.status} {text[:300]!r}")
    return str(answer.headers["Location"])


def _done(port: int, cookie: str, path: str) -> str:
    """Wait for a job as its page does; where that leads in the end."""
    until = time.perf_counter() + 900
    while time.perf_counter() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        connection.request("GET", path, headers={"Cookie": f"sessionid={cookie}", "Host": "127.0.0.1"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status in (302, 303):
            path = answer.headers["Location"]
        elif not path.startswith("/jobs/"):
            return path
        time.sleep(0.2)
    raise SystemExit(f"{path}: not done after a quarter of an hour")


def _get(port: int, cookie: str, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"Cookie": f"sessionid={cookie}", "Host": "127.0.0.1", "HX-Request": "true"}
    if not path.startswith("/search"):
        headers.pop("HX-Request")
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {answer.headers.get('Location', '')}")
    return body


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def _memory(leader: int) -> float:
    """Most memory of all processes of the server together, in GB (high-water marks)."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) == leader:
                status = (process / "status").read_text()
                total += int(status.split("VmHWM:")[1].split()[0])
        except (OSError, IndexError, ValueError):
            continue
    return total / 2**20


if __name__ == "__main__":
    sys.exit(main())
