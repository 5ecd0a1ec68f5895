"""The JSON Schema of trial files, for editors: generated from the leaf kinds, so that it cannot drift."""

import json
from typing import Any

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.trials.leaves import option_names
from cohortfinder.trials.parameters import KEYS as PARAMETER_KEYS
from cohortfinder.trials.ranking import CALIBRATION_KEYS, PRIOR_KEYS, RANKING_KEYS

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_RULES: dict[str, Any] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}}
# one parameter, with a rule for each of its values
_BRANCHES: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/rule"}, {"const": "none"}]},
    },
}


def trial_schema() -> dict[str, Any]:
    """Return the schema as an object."""
    definitions: dict[str, Any] = {}
    leaves = {kind: _leaf(kind, definitions) for kind in LEAF_KINDS}
    definitions["rule"] = {"anyOf": [*_combinations(), *({"$ref": f"#/$defs/{kind}"} for kind in leaves)]}
    definitions["criterion"] = _criterion(leaves)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A clinical trial and its eligibility criteria",
        "type": "object",
        "additionalProperties": False,
        "required": ["trial", "title", "time_zone", "arms"],
        "properties": {
            "language": {"type": "integer", "description": "the version of the language that the file is written in"},
            "trial": _TEXT,
            "title": _TEXT,
            "time_zone": {**_TEXT, "examples": ["Asia/Shanghai"]},
            "notes": _TEXTS,
            "arms": {"type": "object", "additionalProperties": _object(("name", "entry"))},
            "parameters": {
                "type": "object",
                "additionalProperties": _object(PARAMETER_KEYS, required=("default", "why")),
            },
            "flags": {"type": "object", "additionalProperties": _TEXT},
            "rules": {"type": "object", "additionalProperties": {"$ref": "#/$defs/rule"}},
            "ranking": _ranking(),
            "inclusion": {"type": "array", "items": {"$ref": "#/$defs/criterion"}},
            "exclusion": {"type": "array", "items": {"$ref": "#/$defs/criterion"}},
        },
        "$defs": {**definitions, **leaves},
    }


def schema_text() -> str:
    """Return the schema as it is written to schema/trial.schema.json."""
    return json.dumps(trial_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _ranking() -> dict[str, Any]:
    prior = _object(PRIOR_KEYS, required=("passes", "fails"))
    number = {"type": "number", "minimum": 0}
    calibration = _object(CALIBRATION_KEYS, required=())
    parts = (prior, number, number, {"type": "object", "additionalProperties": prior}, calibration)
    properties = dict(zip(RANKING_KEYS, parts, strict=True))
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _object(keys: tuple[str, ...], *, required: tuple[str, ...] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(keys if required is None else required),
        "properties": {key: {"type": ["string", "number", "array"]} for key in keys},
    }


def _leaf(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = LEAF_KINDS[kind].model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    # a parameter may stand in place of every value
    schema["properties"] = {
        name: {"anyOf": [value, {"type": "string", "pattern": r"^\$\{[a-z0-9_]+\}$"}]} if name != kind else value
        for name, value in schema["properties"].items()
        if name in option_names(kind)
    }
    return schema


def _combinations() -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = [
        {"all": _RULES},
        {"any": _RULES},
        {"not": {"$ref": "#/$defs/rule"}},
        {"need": {"type": "integer", "minimum": 1}, "of": _RULES},
        {"rule": _TEXT},
        {"by_parameter": _BRANCHES},
    ]
    return [
        {"type": "object", "additionalProperties": False, "required": list(shape), "properties": shape}
        for shape in shapes
    ]


def _criterion(leaves: dict[str, Any]) -> dict[str, Any]:
    options = {name: True for leaf in leaves.values() for name in leaf["properties"]}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "text"],
        "properties": {
            **options,
            "id": _TEXT,
            "text": {**_TEXT, "description": "verbatim from the protocol"},
            "arms": _TEXTS,
            "certainty": {"enum": ["exact", "proxy", "judgement"]},
            "note": _TEXT,
            "flags": _TEXTS,
            "flag_when": {"type": "object", "additionalProperties": {"$ref": "#/$defs/rule"}},
            "absence": {"enum": ["unknown", "false"]},
            "by_arm": {"type": "object", "additionalProperties": {"$ref": "#/$defs/rule"}},
            "computed": {"const": "no"},
            "define": {"type": "object", "additionalProperties": {"$ref": "#/$defs/rule"}},
            "all": _RULES,
            "any": _RULES,
            "not": {"$ref": "#/$defs/rule"},
            "need": {"type": "integer", "minimum": 1},
            "of": _RULES,
            "rule": _TEXT,
            "by_parameter": _BRANCHES,
        },
    }
