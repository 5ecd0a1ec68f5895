"""The FHIR R4 elements: which are arrays, which are choices, and of what type they are."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cohortfinder.resources import resource_dir
from cohortfinder.views.errors import UnknownElementError, nearest

INTEGER_TYPES = frozenset({"integer", "positiveInt", "unsignedInt"})
_INLINE_TYPES = frozenset({"BackboneElement", "Element"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its JSON field (`value` for a choice), its types and the definition of its children.

    `contexts` has the definition of the children for each type: `Observation.component`, `CodeableConcept`.
    """

    field: str
    types: tuple[str, ...]
    contexts: tuple[str, ...]
    is_array: bool
    is_choice: bool


@dataclass(frozen=True)
class ElementTable:
    """The elements by path, as `mappings/make_fhir_r4_elements.py` writes them."""

    elements: Mapping[str, list[object]]

    def is_resource(self, name: str) -> bool:
        """Tell whether the name is one of a resource type."""
        return name in self.elements and f"{name}.meta" in self.elements

    def resources(self) -> list[str]:
        """Return the names of all resource types."""
        return [name for name in self.elements if "." not in name and self.is_resource(name)]

    def is_primitive(self, name: str) -> bool:
        """Tell whether values of the type are JSON strings, numbers or booleans."""
        return name[:1].islower()

    def child(self, context: str, name: str, position: int) -> Element:
        """Return an element of a definition. Raises ViewError that names the nearest element."""
        row = self.elements.get(f"{context}.{name}")
        is_choice = row is None
        if row is None:
            row = self.elements.get(f"{context}.{name}[x]")
        if row is None:
            raise UnknownElementError(self._unknown(context, name), position=position)
        types = tuple(str(code) for code in row[1:])
        contexts = tuple(self._context(f"{context}.{name}", code) for code in types)
        if types and types[0].startswith("#"):
            types = ("BackboneElement",)
        return Element(name, types, contexts, bool(row[0]), is_choice)

    def elsewhere(self, name: str) -> Element | None:
        """Return an element of a name that stands in some other definition, None when no definition has it."""
        for path in self.elements:
            context, _, own = path.rpartition(".")
            if own == name:
                return self.child(context, name, 0)
        return None

    @staticmethod
    def _context(path: str, code: str) -> str:
        if code.startswith("#"):
            return code[1:]
        return path if code in _INLINE_TYPES else code

    def children(self, context: str) -> list[str]:
        """Return the names of the direct elements of a definition."""
        prefix = f"{context}."
        names = (path.removeprefix(prefix) for path in self.elements if path.startswith(prefix))
        return [name.removesuffix("[x]") for name in names if "." not in name]

    def _unknown(self, context: str, name: str) -> str:
        names = self.children(context)
        for base in names:
            row = self.elements.get(f"{context}.{base}[x]")
            for code in row[1:] if row else ():
                if name == f"{base}{str(code)[0].upper()}{str(code)[1:]}":
                    return f"{context} has no element {name!r} in FHIRPath; write {base}.ofType({code})"
        return f"{context} has no element {name!r}{nearest(name, names)}"


@lru_cache(maxsize=1)
def r4_elements() -> ElementTable:
    """Read the FHIR R4 element table that ships with the program."""
    content = gzip.decompress((resource_dir("mappings") / "fhir_r4_elements.json.gz").read_bytes())
    return ElementTable(json.loads(content)["elements"])
