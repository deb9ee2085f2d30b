"""DuckDB, embedded: in memory up to a limit, beyond it in a folder of its own on disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from evaluate.errors import DataError


@contextmanager
def engine(
    folder: str | Path, *, memory_gb: float = 2.0, threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to an empty database.

    What does not fit into memory is written into ``folder``; that is removed at the end, and
    what a killed run has left there at the beginning. No extension is loaded and no address
    is reached.

    Parameters
    ----------
    folder : path
        Of this run alone.
    memory_gb : float
        What DuckDB may use; the process needs about 1 GB beside it.
    threads : int
        Threads to work with.

    Raises
    ------
    DataError
        If memory or disk do not suffice.
    """
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be made: {error.strerror}. What does not fit into memory is "
            "written there: give the study a folder that may be written to."
        ) from None
    try:
        with duckdb.connect(":memory:") as connection:
            for setting, value in {
                "memory_limit": f"{memory_gb * 1000:.0f}MB",
                "threads": str(threads),
                "temp_directory": str(folder),
                "preserve_insertion_order": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "enable_progress_bar": "false",
            }.items():
                connection.execute(f"SET {setting} = '{value}'")
            yield connection
    except (duckdb.OutOfMemoryException, MemoryError):
        raise DataError(
            f"the linked tables do not fit into {memory_gb:g} GB and what the disk has to spare. "
            "Raise `memory_gb` in config/config.yaml, or free some disk."
        ) from None
    except duckdb.IOException:
        raise DataError(
            f"{folder}: cannot be written. Is the disk full? Nothing was left half written."
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
