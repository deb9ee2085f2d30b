"""Texts in the shape of identity numbers that belong to nobody alive."""

from __future__ import annotations

NUMBERS = 20


def check_digit(nine: str) -> int:
    """Return the check digit of nine digits by the Luhn algorithm."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(nine))
    return -sum(value // 10 + value % 10 for value in doubled) % 10


def identity_number(number: int) -> str:
    """Return a text such as 18250612-9805 with the right check digit.

    The year of birth is from 1820 to 1839: who was born then had died when personal numbers
    came in 1947. The serial number is from 980 on, which no register office gave out.
    """
    year, month, day = 1820 + number % 20, 1 + number % 12, 1 + number % 28
    nine = f"{year % 100:02d}{month:02d}{day:02d}{980 + number % 20}"
    return f"{year // 100}{nine[:6]}-{nine[6:]}{check_digit(nine)}"


IDENTITY_NUMBERS = tuple(identity_number(number) for number in range(NUMBERS))
