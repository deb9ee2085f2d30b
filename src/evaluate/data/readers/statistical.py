"""Read the files of Stata, SPSS and SAS, some rows at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from evaluate.data.readers.calendars import Program, calendar_text, counted
from evaluate.data.readers.cells import as_text, objects_as_text
from evaluate.data.readers.source import Source
from evaluate.errors import DataError
from evaluate.plan.sources import Table

if TYPE_CHECKING:
    from pyreadstat import metadata_container

ROWS = 250_000
FILES: dict[str, tuple[Program, str]] = {
    ".dta": ("Stata", "read_dta"),
    ".sav": ("SPSS", "read_sav"),
    ".zsav": ("SPSS", "read_sav"),
    ".sas7bdat": ("SAS", "read_sas7bdat"),
}
CATALOGUE = ".sas7bcat"


def read_statistical(path: Path, table: Table, _: str) -> Source:
    """Open a file of Stata, SPSS or SAS.

    Cells are codes, or with ``labels: labels`` their value labels; a code without one stays.
    What the program or its user calls missing is empty.

    Raises
    ------
    DataError
        If it is not a whole file of its program, in its encoding; if labels are wanted of a
        SAS file without its catalogue.
    """
    import pyreadstat

    program, function = FILES[path.suffix.lower()]
    read = getattr(pyreadstat, function)
    options: dict[str, Any] = {"output_format": "dict", "disable_datetime_conversion": True}
    if table.encoding != "auto":
        options["encoding"] = table.encoding
    try:
        if _ends_early(path):
            raise EOFError
        _, metadata = read(str(path), metadataonly=True, **options)
    except Exception as error:
        raise _broken(path, program, error) from None
    labels = _labels(path, program, metadata) if table.labels == "labels" else {}

    def batches() -> Iterator[pa.RecordBatch]:
        expected, offset, rows = metadata.number_rows, 0, ROWS
        while rows == ROWS and offset != expected:
            try:
                data, _ = read(str(path), row_offset=offset, row_limit=ROWS, **options)
            except Exception as error:
                raise _broken(path, program, error) from None
            columns = [
                _text(values, name, metadata, program, f"{path}: column {i}", labels.get(name))
                for i, (name, values) in enumerate(data.items(), 1)
            ]
            rows = len(columns[0]) if columns else 0
            offset += rows
            yield pa.RecordBatch.from_arrays(columns, names=[str(i) for i in range(len(columns))])
        if expected not in (None, offset):
            raise _broken(path, program)

    return Source(str(path), list(metadata.column_names), program, batches())


def _ends_early(path: Path) -> bool:
    """Return whether a file of Stata lacks its last mark, behind the rows and the labels."""
    with path.open("rb") as file:
        start = file.read(11)
        file.seek(-12, 2)
        return start == b"<stata_dta>" and file.read() != b"</stata_dta>"


def _broken(path: Path, program: Program, error: Exception | None = None) -> DataError:
    """Return the error of a file that cannot be read; what the reader says may quote it."""
    if isinstance(error, UnicodeError) or re.search("encoding|character set", str(error)):
        return DataError(
            f"{path}: its letters are not in the encoding that is declared or that it names "
            "itself. Declare another, such as `encoding: cp1252`."
        )
    return DataError(
        f"{path}: not a whole {program} file. Save it anew, or ask for a new delivery."
    )


def _text(
    values: list,
    name: str,
    metadata: metadata_container,
    program: Program,
    where: str,
    labels: Mapping[str, str] | None,
) -> pa.Array:
    kind = metadata.readstat_variable_types[name]
    if kind == "string":
        text = objects_as_text(values, where)
    else:
        numbers = pa.array(values, pa.float64())
        count = counted(program, metadata.original_variable_types[name] or "")
        if count is not None:
            return calendar_text(numbers, count, program, where)
        text = as_text(numbers.cast(pa.float32()) if kind == "float" else numbers, where)
    if not labels:
        return text
    encoded = text.dictionary_encode()
    named = [labels.get(code, code) for code in encoded.dictionary.to_pylist()]
    return as_text(pa.array(named, pa.string()).take(encoded.indices), where)


def _labels(
    path: Path, program: Program, metadata: metadata_container
) -> dict[str, dict[str, str]]:
    """Return the value labels of each column that has some, by their codes as text."""
    import pyreadstat

    named = metadata.variable_value_labels
    if program == "SAS":
        catalogues = (path.with_suffix(CATALOGUE), path.with_name(f"formats{CATALOGUE}"))
        catalogue = next((c for c in catalogues if c.is_file()), None)
        if catalogue is None:
            raise DataError(
                f"{path}: SAS keeps value labels in a catalogue. Put {catalogues[0].name} or "
                f"{catalogues[1].name} beside it, or leave out `labels`."
            )
        try:
            _, found = pyreadstat.read_sas7bcat(str(catalogue))
        except Exception as error:
            raise _broken(catalogue, program, error) from None
        # SEXF1 is the format SEXF in a width of 1: no name of a format ends in a digit.
        sets = {n: form.rstrip("0123456789") for n, form in metadata.variable_to_label.items()}
        named = {n: found.value_labels[s] for n, s in sets.items() if s in found.value_labels}
    return {
        name: dict(zip(objects_as_text(list(of), name).to_pylist(), of.values(), strict=True))
        for name, of in named.items()
    }
