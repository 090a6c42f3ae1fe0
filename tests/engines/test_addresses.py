"""Addresses of engines: what they mean, what may be shown of them, and one clear sentence where they fail."""

from __future__ import annotations

import sys

import pytest

from klientel.engine import connect
from klientel.engines.addresses import is_address, parse
from klientel.engines.spark import settings
from klientel.errors import BadParameter, EngineFailed


def test_a_postgres_address_is_taken_apart():
    found = parse("postgresql://anna:s%3Acret@db.firm.de:6432/sales?schema=crm&sslmode=require")
    assert (found.kind, found.place, found.user, found.password) == (
        "postgres", "db.firm.de:6432", "anna", "s:cret",
    )  # fmt: skip
    assert found.path == "sales"
    assert found.options == {"schema": "crm", "sslmode": "require"}


@pytest.mark.parametrize(
    "address",
    [
        "postgres://anna:s3cret@db/sales?schema=crm",
        "postgres://anna@db/sales?password=s3cret",
        "spark://host:7077?spark.hadoop.fs.s3a.secret.key=s3cret",
    ],
)
def test_a_password_is_never_shown(address):
    found = parse(address)
    assert "s3cret" not in found.shown
    assert "s3cret" not in repr(found) or found.options


@pytest.mark.parametrize(
    ("address", "master"),
    [
        ("spark://local[2]", "local[2]"),
        ("spark://local-cluster[2,1,1024]?path=/lake", "local-cluster[2,1,1024]"),
        ("spark://head:7077/sales", "spark://head:7077"),
        ("spark://head", "spark://head:7077"),
        ("spark://yarn", "yarn"),
        ("pyspark://", ""),
    ],
)
def test_masters_of_spark(address, master):
    assert parse(address).place == master


def test_settings_of_the_address_come_before_ours():
    told = settings(parse("spark://local[4]?spark.sql.shuffle.partitions=9&path=/lake"))
    assert told["spark.sql.shuffle.partitions"] == "9"
    assert told["spark.driver.bindAddress"] == "127.0.0.1"
    assert told["spark.ui.enabled"] == "false"
    assert "path" not in told
    assert "spark.driver.host" not in settings(parse("spark://head:7077"))


def test_a_path_is_no_address():
    assert not is_address("orders.csv")
    assert not is_address("C:/firm/orders.csv")
    assert is_address("duckdb://firm.duckdb")


def test_an_unknown_engine_is_told_with_the_nearest():
    with pytest.raises(BadParameter, match="did you mean postgres"):
        parse("postgre://db/sales")


def test_an_address_that_cannot_be_read_does_not_show_its_password():
    with pytest.raises(BadParameter) as told:
        parse("postgres://anna:s3cret@db:port/sales")
    assert "s3cret" not in str(told.value)


def test_a_server_that_does_not_answer():
    with pytest.raises(
        EngineFailed, match=r"Cannot connect to postgres://anna@127.0.0.1:1/sales: .*refused"
    ) as told:
        connect("postgres://anna:s3cret@127.0.0.1:1/sales")
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "extra"), [("postgres://db/x", "postgres"), ("spark://local[1]", "spark")]
)
def test_a_missing_driver_says_what_to_install(monkeypatch, address, extra):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(EngineFailed, match=rf"klientel\[{extra}\]"):
        connect(address)


def test_no_java_says_what_to_install(monkeypatch):
    from klientel.engines import spark

    pytest.importorskip("pyspark")
    monkeypatch.setattr(spark, "_running", lambda: None)
    monkeypatch.setattr(spark.shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineFailed, match="Java 17"):
        connect("spark://local[1]")


def test_a_file_that_is_no_database(tmp_path):
    wrong = tmp_path / "firm.duckdb"
    wrong.write_text("no database")
    with pytest.raises(EngineFailed, match="Cannot connect to duckdb://"):
        connect(f"duckdb://{wrong}")


def test_the_command_line_says_it_in_one_line_and_ends_with_1(tmp_path):
    import subprocess

    orders = tmp_path / "orders.csv"
    orders.write_text("customer,date,amount\nA,2024-01-05,10\n")
    command = [sys.executable, "-m", "klientel.cli", "analyse", "abc", str(orders)]
    code = "import sys; from klientel.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command[3:], "--engine", "postgres://anna:s3cret@127.0.0.1:1/x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("klientel: Cannot connect to postgres://anna@127.0.0.1:1/x")
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
    done = subprocess.run(
        [sys.executable, "-c", code, *command[3:], "--engine", "oracle://db"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "No engine has the address oracle://db" in done.stderr
