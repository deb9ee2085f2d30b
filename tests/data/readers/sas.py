"""Write files of SAS, through the library inside pyreadstat, which itself does not offer it."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyreadstat import _readstat_writer

STRING, DOUBLE = 0, 5
WRITE = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
Values = Sequence[str] | Sequence[float | None]


def can_write() -> bool:
    """Return whether the library shows what is needed; not on every platform."""
    try:
        return bool(ctypes.CDLL(_readstat_writer.__file__).readstat_begin_writing_sas7bdat)
    except (OSError, AttributeError):
        return False


def write_sas7bdat(
    path: Path, columns: Mapping[str, Values], formats: Mapping[str, str] | None = None
) -> None:
    """Write columns of texts, or of numbers with None where missing."""
    rows = len(next(iter(columns.values())))
    with _Writer(path) as writer:
        variables = {}
        for name, values in columns.items():
            is_text = isinstance(values[0], str)
            width = max(len(v.encode()) for v in values) if is_text else 8
            kind = STRING if is_text else DOUBLE
            variables[name] = writer("add_variable", name.encode(), kind, ctypes.c_size_t(width))
            if form := (formats or {}).get(name):
                writer.call("variable_set_format", variables[name], form.encode())
        writer("begin_writing_sas7bdat", None, ctypes.c_long(rows))
        for i in range(rows):
            writer("begin_row")
            for name, values in columns.items():
                value: Any = values[i]
                if isinstance(value, str):
                    writer("insert_string_value", variables[name], value.encode())
                elif value is None:
                    writer("insert_missing_value", variables[name])
                else:
                    writer("insert_double_value", variables[name], ctypes.c_double(value))
            writer("end_row")
        writer("end_writing")


def write_sas7bcat(path: Path, labels: Mapping[str, Mapping[float, str]]) -> None:
    """Write a catalogue of value labels, by the names of their formats."""
    with _Writer(path) as writer:
        for name, of in labels.items():
            listed = writer("add_label_set", DOUBLE, name.encode())
            for code, label in of.items():
                writer.call("label_double_value", listed, ctypes.c_double(code), label.encode())
        writer("begin_writing_sas7bcat", None)
        writer("end_writing")


class _Writer:
    """The library's writer, to a file."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(_readstat_writer.__file__)
        self.file = path.open("wb")

        def write(data: int, length: int, _: object) -> int:
            return self.file.write(ctypes.string_at(data, length))

        self.callback = WRITE(write)

    def __enter__(self) -> _Writer:
        for name in ("writer_init", "add_variable", "add_label_set"):
            getattr(self.library, f"readstat_{name}").restype = ctypes.c_void_p
        self.writer = ctypes.c_void_p(self.call("writer_init"))
        self("set_data_writer", self.callback)
        return self

    def __exit__(self, *_: object) -> None:
        self.call("writer_free", self.writer)
        self.file.close()

    def __call__(self, name: str, *arguments: Any) -> Any:
        return self.call(name, self.writer, *arguments)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the library; a pointer is given back as one."""
        answer = getattr(self.library, f"readstat_{name}")(*arguments)
        if name in ("add_variable", "add_label_set"):
            return ctypes.c_void_p(answer)
        return answer
