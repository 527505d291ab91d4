"""JSON objects of one shape as structs: decoded in two thirds of the time of dictionaries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast

import msgspec

Path = tuple[str, ...]


class JsonStruct(msgspec.Struct):
    """An object with certain members, all of which it has; each is read by its name."""

    attributes: ClassVar[Mapping[str, str]] = {}  # by the names of the members

    def __getitem__(self, name: str) -> Any:
        return getattr(self, self.attributes[name])

    def to_dict(self) -> dict[str, Any]:
        """Return the object as a dictionary."""
        members = zip(self.attributes, msgspec.structs.astuple(self), strict=True)
        return {n: v.to_dict() if isinstance(v, JsonStruct) else v for n, v in members}


def build_struct(
    objects: Sequence[Mapping[str, Any]],
    kept: Collection[Path],
    depth: int,
    types: Mapping[str, Any] | None = None,
) -> type[JsonStruct] | None:
    """Build the type of objects that have the same members; None if these do not.

    Args:
        kept: the paths of objects that stay dictionaries.
        depth: the levels of objects below these that become structs.
        types: those of members, by name; others have any.
    """
    names = list(objects[0])
    if not names or any(one.keys() != objects[0].keys() for one in objects):
        return None
    fields: list[tuple[str, Any]] = []
    for number, name in enumerate(names):
        values = [one[name] for one in objects if one[name] is not None]
        nested = None
        if depth and values and (name,) not in kept and set(map(type, values)) == {dict}:
            below = [path[1:] for path in kept if path[:1] == (name,)]
            nested = build_struct(values, below, depth - 1)
        kind = nested | None if nested else (types or {}).get(name, Any)
        fields.append((f"m{number}", kind))
    attributes = {name: attribute for name, (attribute, _) in zip(names, fields, strict=True)}
    made = msgspec.defstruct(
        "Object",
        fields,
        bases=(JsonStruct,),
        namespace={"attributes": attributes},
        rename={attribute: name for name, attribute in attributes.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    return cast("type[JsonStruct]", made)


def read_columns(structs: Sequence[JsonStruct | None]) -> dict[str, Sequence[Any]]:
    """Return the values of each member of structs of one type (or null), by name."""
    kind = next(type(one) for one in structs if one is not None)
    empty = kind(*[None] * len(kind.attributes))
    objects = [one or empty for one in structs]
    columns = zip(*map(msgspec.structs.astuple, objects), strict=True)
    return dict(zip(kind.attributes, columns, strict=True))


def unify(objects: Sequence[Any]) -> Sequence[Any]:
    """Return objects as structs of one type if all can be, or else as they are without structs."""
    kinds = set(map(type, objects))
    structs = [kind for kind in kinds if issubclass(kind, JsonStruct)]
    if not structs:
        return objects
    if len(structs) == 1 and kinds <= {dict, *structs}:
        (kind,) = structs
        with suppress(msgspec.ValidationError):
            return [one if type(one) is kind else msgspec.convert(one, kind) for one in objects]
    return to_dicts(objects)


def to_dicts(objects: Sequence[Any]) -> list[Any]:
    """Return objects as dictionaries where they are structs."""
    return [one.to_dict() if isinstance(one, JsonStruct) else one for one in objects]
