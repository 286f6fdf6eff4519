"""Values as JSON: bytes in hexadecimal, tuples as lists, dataclasses and structs as objects."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any

import msgspec


def describe(value: Any) -> Any:
    """`value` in what JSON can say."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {name: describe(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value):
        return {field.name: describe(getattr(value, field.name)) for field in fields(value)}
    return value
