"""A quick constructor for frozen records that are made many times a second.

    @quick_init
    @dataclass(frozen=True, slots=True)
    class Sample: ...

The constructor of a frozen dataclass looks each field up by its name to set it. This one sets the slots themselves, in
about half of the time, and is the same in all else: a record is as frozen as before. A day in virtual time makes five
million of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, Final, TypeVar

T = TypeVar("T")

_NOT_GIVEN: Final = object()


def quick_init(cls: type[T]) -> type[T]:
    """Give a frozen dataclass with slots the quick constructor. Raise TypeError for any other class."""
    made = fields(cls)  # type: ignore[arg-type]  # TypeError where this is no dataclass
    params: list[str] = []
    keyword_params: list[str] = []
    body: list[str] = []
    names: dict[str, Any] = {"_not_given": _NOT_GIVEN}
    for each in made:
        if each.init:
            names[f"_set_{each.name}"] = _slot_setter(cls, each)
            (keyword_params if each.kw_only else params).append(_parameter(each, names))
            body += _stored(each)
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    signature = ", ".join(["self", *params, *(["*", *keyword_params] if keyword_params else [])])
    exec(f"def __init__({signature}):\n " + "\n ".join(body or ["pass"]), names)  # as dataclasses does
    init = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = cls.__init__.__annotations__
    setattr(cls, "__init__", init)  # noqa: B010
    return cls


def _slot_setter(cls: type[Any], each: Field[Any]) -> Callable[[Any, Any], None]:
    slot = getattr(cls, each.name, None)
    if not hasattr(slot, "__set__"):
        raise TypeError(f"{cls.__name__}.{each.name} is no slot: write @dataclass(frozen=True, slots=True)")
    return slot.__set__  # type: ignore[union-attr, no-any-return]


def _parameter(each: Field[Any], names: dict[str, Any]) -> str:
    """The parameter of a field, and what stands behind its default in `names`."""
    if each.default is not MISSING:
        names[f"_default_{each.name}"] = each.default
        return f"{each.name}=_default_{each.name}"
    if each.default_factory is not MISSING:
        names[f"_make_{each.name}"] = each.default_factory
        return f"{each.name}=_not_given"
    return each.name


def _stored(each: Field[Any]) -> list[str]:
    made = [f"if {each.name} is _not_given: {each.name} = _make_{each.name}()"]
    return (made if each.default_factory is not MISSING else []) + [f"_set_{each.name}(self, {each.name})"]
