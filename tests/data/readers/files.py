"""Files written, and read whole and as a stream."""

import pandas as pd
import pytest

from evaluate.data.readers.read import read_table
from evaluate.data.readers.stream import open_stream
from evaluate.errors import DataError
from evaluate.plan.sources import Table


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def streamed(path, columns=None, **declared):
    """Return header, rows and row numbers of a stream."""
    stream = open_stream(Table(path=str(path), **declared), "spells", columns)
    batches = list(stream.batches)
    frame = pd.concat([batch.to_pandas() for batch in batches])
    assert frame["source_row"].tolist() == list(range(1, len(frame) + 1))
    return list(frame.columns[:-1]), frame.drop(columns="source_row").to_numpy().tolist()


def whole(path, **declared):
    cells = read_table(Table(path=str(path), **declared), "spells").cells
    return list(cells.columns), cells.to_numpy().tolist()


def fault(path, **declared):
    """Return the one message of a file that cannot be read, whole or as a stream."""
    said = set()
    for read in (streamed, whole):
        with pytest.raises(DataError) as error:
            read(path, **declared)
        said.add(str(error.value))
    assert len(said) == 1
    assert str(error.value).startswith(f"{path}: ")
    return said.pop()
