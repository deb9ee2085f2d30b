"""From the bytes of a text file to lines in UTF-8, in blocks, whatever the size of the file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from evaluate.errors import DataError

BLOCK = 16 << 20  # bytes read at a time
LONGEST_LINE = 64 << 20
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_IN_CP1252 = re.compile(rb"\xc3[\x80-\xbf]")  # å, ä, ö and their like, read byte by byte


def text_blocks(path: Path, declared: str, name: str) -> Iterator[tuple[str, bytes]]:
    """Give the encoding, as far as it is known, and blocks of whole lines in UTF-8.

    Line ends are plain; a byte order mark, and empty lines before the first and after the
    last, are left out. Text is ASCII until a letter shows which encoding it has.

    Parameters
    ----------
    path : Path
        The file.
    declared : str
        The encoding that the plan declares, or auto: UTF-8 or cp1252.
    name : str
        The table's name under `data`, for messages.

    Raises
    ------
    DataError
        If the file is not in the encoding, or in none, or in two; if it holds NUL characters.
    """
    held, begun = b"", False
    for encoding, block in _decoded(path, declared, name):
        if b"\0" in block:
            raise DataError(
                f"{path}: holds NUL characters: cut off, not a text file, or UTF-16 without its "
                "mark, then declare `encoding: utf-16-le`."
            )
        lines = held + block if held else block
        if not begun:
            lines = lines.removeprefix(codecs.BOM_UTF8).lstrip(b" \n")
        last = len(lines.rstrip(b" \x1a\n"))
        end = (lines.find(b"\n", last) + 1 or len(lines)) if last else 0
        held = lines[end:]
        if end:
            begun = True
            whole = lines[:end]
            yield encoding, whole if whole.endswith(b"\n") else whole.rstrip(b" \x1a") + b"\n"


def _decoded(path: Path, declared: str, name: str) -> Iterator[tuple[str, bytes]]:
    blocks = _read(path)
    start = next(blocks, b"")
    raw = chain([start], blocks)
    if start.startswith(BYTE_ORDER_MARKS):
        yield from _from("utf-16", raw, path, name)
    elif declared == "auto":
        yield from _found(_lines(raw, path), path, name)
    elif declared.lower() in ("utf-8", "utf8", "utf-8-sig"):
        yield from _utf8(_lines(raw, path), path, name)
    else:
        yield from _from(declared, raw, path, name)


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise DataError(f"{path}: cannot be read: {reason}. Is it open elsewhere?")


def _lines(blocks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Give blocks that end where a line does, with plain line ends."""
    rest, following = b"", next(blocks, None)
    while following is not None:
        block, following = rest + following, next(blocks, None)
        # The other half of a line end may follow, but not after the last block.
        half = b"\r" if following is not None and block.endswith(b"\r") else b""
        block = _plain(block.removesuffix(half))
        end = block.rfind(b"\n") + 1
        rest = block[end:] + half
        if len(rest) > LONGEST_LINE:
            raise DataError(
                f"{path}: a line longer than {LONGEST_LINE >> 20} MB: not a table with one row "
                "per line. Ask for a new delivery."
            )
        if end:
            yield block[:end]
    if rest:
        yield _plain(rest)


def _plain(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _found(lines: Iterator[bytes], path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Find out whether the letters beyond ASCII are UTF-8 or cp1252."""
    encoding, is_known = "UTF-8", False
    for block in lines:
        if not block.isascii():
            if encoding == "UTF-8":
                valid = _utf8_bytes(block)
                is_cut = valid == len(block) - 1 and block.endswith(b"\xc3")
                if valid < len(block):
                    if is_known or is_cut:
                        raise _mixed(path)
                    encoding = "CP1252"
            is_known = True
            if encoding == "CP1252":
                if UTF8_IN_CP1252.search(block):
                    raise _mixed(path)
                block = _recoded(block, path, name)
        yield encoding, block


def _utf8_bytes(block: bytes) -> int:
    """Return how many of the first bytes are UTF-8."""
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return len(block)


def _mixed(path: Path) -> DataError:
    return DataError(
        f"{path}: some letters beyond ASCII are UTF-8 and others are not. The file may be "
        "cut off, or put together from two. Ask for a new delivery."
    )


def _recoded(block: bytes, path: Path, name: str) -> bytes:
    try:
        return block.decode("cp1252").encode()
    except UnicodeDecodeError:
        pass
    raise _not("utf-8 or cp1252", path, name)


def _not(encoding: str, path: Path, name: str) -> DataError:
    return DataError(
        f"{path}: not {encoding}. Declare the encoding under data.{name}, or ask for a new "
        "delivery."
    )


def _utf8(lines: Iterator[bytes], path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for block in lines:
        if not block.isascii() and _utf8_bytes(block) < len(block):
            raise _not("utf-8", path, name)
        yield "UTF-8", block


def _from(
    declared: str, blocks: Iterator[bytes], path: Path, name: str
) -> Iterator[tuple[str, bytes]]:
    """Decode any other encoding; one that is not UTF-8 must not look like it throughout."""
    try:
        with suppress(UnicodeError):
            b"a".decode(declared)  # fails where it is an encoding of bytes, as base64 is
        decode = codecs.getincrementaldecoder(declared)().decode
    except LookupError:
        raise DataError(
            f"{path}: encoding `{declared}` is unknown. Use auto, utf-8 or cp1252."
        ) from None
    decode_utf8 = codecs.getincrementaldecoder("utf-8")().decode
    is_ascii, is_utf8 = True, not declared.lower().startswith("utf")

    def recoded() -> Iterator[bytes]:
        nonlocal is_ascii, is_utf8
        for block in chain(blocks, [b""]):
            is_ascii = is_ascii and block.isascii()
            try:
                yield decode(block, not block).encode()
            except ValueError:
                raise _not(declared, path, name) from None
            try:
                is_utf8 = is_utf8 and decode_utf8(block, not block) is not None
            except UnicodeDecodeError:
                is_utf8 = False

    for lines in _lines(recoded(), path):
        yield declared.upper(), lines
    if is_utf8 and not is_ascii:
        raise DataError(
            f"{path}: declared as {declared}, but its letters beyond ASCII are UTF-8. "
            "Write `encoding: auto` or `encoding: utf-8`."
        )
