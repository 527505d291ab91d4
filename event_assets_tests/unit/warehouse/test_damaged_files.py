"""A file that is no database any more, or whose log is not its own, is said in a sentence."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from event_assets import warehouse
from event_assets.cli.main import run
from event_assets.values.errors import WarehouseError
from event_assets_tests.support.project import Project

OTHER = "name another file in EVENTS_DUCKDB"
RESTORE = f"restore a backup, as docs/operations.md describes, or {OTHER}"
MOVE_LOG = "move that file away: the next sync loads the events in it again"


def execute(file: Path, *statements: str) -> None:
    """Execute statements in another process, which is killed, so that they are in the log only."""
    lines = "".join(f"database.execute({statement!r}); " for statement in statements)
    code = f"import duckdb, os; database = duckdb.connect({str(file)!r}); {lines}os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9


def log_of(file: Path) -> Path:
    return Path(f"{file}.wal")


def make_parquet(file: Path) -> None:
    duckdb.sql("select 1 as a").write_parquet(str(file))


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)


def flip_header(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4_200] + b"\1" * 100 + content[4_300:8_300] + b"\1" * 100)


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere/x.duckdb")


def encrypt(file: Path) -> None:
    file.unlink()
    options = "(encryption_key 'x', encryption_cipher 'CTR')"
    attach = f"attach '{file}' as mine {options}"
    execute(file.with_name("x.duckdb"), "set force_mbedtls_unsafe = true", attach)


def take_log_of_another(file: Path) -> None:
    other = file.with_name("other.duckdb")
    execute(other, "create table known as select 1 as a")
    log_of(other).rename(log_of(file))


def flip_log(file: Path) -> None:
    execute(file, "insert into known from range(5_000)")
    flip(log_of(file))


def checksum(block: bytes) -> int:
    """Return DuckDB's checksum of a header."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        result ^= word * 0xBF58476D1CE4E5B9 & 2**64 - 1
    return result


def make_newer(file: Path) -> None:
    """Change the storage version in the header of a file."""
    content = file.read_bytes()
    head = bytearray(content[:4096])
    head[12:20] = struct.pack("<Q", 1 << 20)  # DuckDB 2 writes 999 where another field has it
    head[:8] = struct.pack("<Q", checksum(bytes(head[8:])))
    file.write_bytes(bytes(head) + content[4096:])


DAMAGES: dict[Callable[[Path], object], str] = {
    make_parquet: RESTORE,
    lambda file: file.write_text("a,b\n" * 5_000): RESTORE,
    lambda file: file.write_bytes(b""): RESTORE,
    lambda file: file.write_bytes(b"\0" * 100): RESTORE,
    halve: RESTORE,
    flip_header: RESTORE,
    make_newer: f"update DuckDB to the version that wrote it, or {OTHER}",
    make_folder: f"move what is in the way, or {OTHER}",
    make_dangling: f"make the folder that it is to be in, or {OTHER}",
    encrypt: f"copy it into a database without a key, or {OTHER}",
    take_log_of_another: MOVE_LOG,
    flip_log: MOVE_LOG,
    lambda file: log_of(file).mkdir(): MOVE_LOG,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_opened_is_said_with_what_to_do(
    project: Project, damage: Callable[[Path], object]
) -> None:
    project.database.parent.mkdir()
    project.rows("create table known as from range(100_000)")
    damage(project.database)
    left = project.database.read_bytes() if project.database.is_file() else b""
    with pytest.raises(WarehouseError) as error, warehouse.connect():
        pass
    assert not left or project.database.read_bytes() == left
    said = str(error.value)
    assert said.startswith(f"The database {project.database} cannot be used: ")
    assert said.endswith(f"; {DAMAGES[damage]}.")
    assert "\n" not in said


@pytest.mark.parametrize(
    "change", [lambda log: log.write_bytes(b""), lambda log: log.write_bytes(log.read_bytes()[:-5])]
)
def test_a_log_that_ends_too_early_is_read_up_to_its_end(
    project: Project, change: Callable[[Path], object]
) -> None:
    project.database.parent.mkdir()
    project.rows("create table known as from range(3)")
    execute(project.database, "delete from known")
    change(log_of(project.database))
    with warehouse.connect() as database:
        assert database.table("known").fetchall() == [(0,), (1,), (2,)]


@pytest.mark.parametrize("default", ["now()", "current_date", "uuid()", "nextval('counted')"])
def test_a_log_with_a_default_that_is_no_constant_is_read(
    project: Project, default: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project.database.parent.mkdir()
    project.rows("create table known as from range(3)")
    changes = "create sequence counted", f"alter table known add own text default {default}"
    execute(project.database, *changes)
    if duckdb.__version__ < "2":
        assert run(["show", "main.known"]) == 1
        assert capsys.readouterr().err.endswith("; sync, which opens it.\n")
    with warehouse.connect() as database:
        assert database.sql("select count(own) from known").fetchall() == [(3,)]
    assert run(["show", "main.known"]) == 0
