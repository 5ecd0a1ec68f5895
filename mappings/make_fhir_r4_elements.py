r"""Turn the FHIR R4 definitions into fhir_r4_elements.json.gz, the element table of the view compiler.

Source: profiles-types.xml and profiles-resources.xml of the Maven Central artifact
`ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4` (the FHIR R4 definitions, CC0). Usage:

    mvn dependency:copy -DoutputDirectory=. \
        -Dartifact=ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:8.0.0
    python mappings/make_fhir_r4_elements.py hapi-fhir-validation-resources-r4-8.0.0.jar
"""

import gzip
import json
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

_NS = "{http://hl7.org/fhir}"
_FOLDER = "org/hl7/fhir/r4/model/profile"
_FILES = ("profiles-types.xml", "profiles-resources.xml")
_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."


def attribute(node: ElementTree.Element, name: str) -> str:
    """Return the value of a primitive child, or "" when it has none."""
    found = node.find(f"{_NS}{name}")
    return "" if found is None else found.get("value", "")


def type_names(element: ElementTree.Element) -> list[str]:
    """Return the types of an element; of one defined elsewhere "#" and the path of that definition."""
    reference = attribute(element, "contentReference")
    if reference:
        return [reference]
    codes = [attribute(node, "code") for node in element.findall(f"{_NS}type")]
    return [code.removeprefix(_SYSTEM_TYPE).lower() if _SYSTEM_TYPE in code else code for code in codes]


def elements(archive: zipfile.ZipFile, file_name: str) -> dict[str, list[object]]:
    """Return path -> [is it an array (0 or 1), type, ...] for all definitions of one file."""
    table: dict[str, list[object]] = {}
    root = ElementTree.fromstring(archive.read(f"{_FOLDER}/{file_name}"))
    for definition in root.iter(f"{_NS}StructureDefinition"):
        if attribute(definition, "derivation") == "constraint":
            continue
        for element in definition.iterfind(f"{_NS}snapshot/{_NS}element"):
            is_array = attribute(element, "max") not in ("0", "1")
            table[attribute(element, "path")] = [int(is_array), *type_names(element)]
    return table


def main(jar: str) -> None:
    """Write the table; the same jar always gives the same bytes."""
    table: dict[str, list[object]] = {}
    with zipfile.ZipFile(jar) as archive:
        for file_name in _FILES:
            table |= elements(archive, file_name)
    content = {"fhir": "4.0.1", "licence": "CC0-1.0", "source": Path(jar).name, "elements": table}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    target = Path(__file__).with_name("fhir_r4_elements.json.gz")
    target.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
