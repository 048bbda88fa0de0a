"""The shape of a policy file as JSON Schema, for editors that complete and check while one writes."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from complaints.clauses.model import Predicate
from complaints.policy import Policy
from policies.extending import EVERYTHING, EXTENDS

#: A condition as it is written; pydantic only sees what it becomes.
_CONDITION: Final = {
    "type": "object",
    "description": (Predicate.__doc__ or "").strip(),
    "properties": {
        "any": {"type": "array", "items": {"$ref": "#/$defs/Predicate"}},
        "all": {"type": "array", "items": {"$ref": "#/$defs/Predicate"}},
        "not": {"anyOf": [{"$ref": "#/$defs/Predicate"}, {"type": "array", "items": {"$ref": "#/$defs/Predicate"}}]},
    },
    "additionalProperties": {
        "anyOf": [{"type": ["string", "boolean", "integer"]}, {"type": "array"}, {"$ref": "#/$defs/Test"}]
    },
}

#: What leaves an inherited element out.
_DROP: Final = {"drop": {"const": True, "description": "leaves out what is inherited"}}


class _Shorthand(GenerateJsonSchema):
    """Knows the short forms of a policy: one value for a list of one, a word for a keyword, a text for a window."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        return {"anyOf": [inner["items"] if inner.get("type") == "array" else {"type": "string"}, inner]}


@cache
def json_schema() -> dict[str, Any]:  # Any: JSON
    """Return the JSON Schema of a policy file (draft 2020-12)."""
    schema = Policy.model_json_schema(schema_generator=_Shorthand)
    schema["properties"].pop("version")  # the hash of the text: nobody writes it
    for definition in schema["$defs"].values():
        if "anyOf" in definition:  # that no other key is allowed holds for the long form, not for the choice
            definition["anyOf"][-1]["additionalProperties"] = definition.pop("additionalProperties")
    schema["$defs"]["Predicate"] = _CONDITION
    _extensible(schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def _extensible(schema: dict[str, Any]) -> None:  # Any: JSON
    """Let a file leave out what it inherits. What is missing then is found by the checker, which knows what is not."""
    names = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
    schema["properties"] = {EXTENDS: {**names, "description": "the file that says what this one does not"}} | schema[
        "properties"
    ]
    schema.pop("required")
    for reference in list(_sections(schema)):
        schema["$defs"][reference].pop("required", None)
    for definition in schema["$defs"].values():
        if "id" in definition.get("properties", ()):
            definition["required"] = [key for key in definition.get("required", ()) if key == "id"]
            definition["properties"] |= _DROP
            definition["properties"]["id"] = {"anyOf": [definition["properties"]["id"], {"const": EVERYTHING}]}


def _sections(schema: dict[str, Any]) -> Iterator[str]:  # Any: JSON
    """Yield the definitions of the sections: what stands directly under the keys of the file."""
    for each in schema["properties"].values():
        for part in (each, *each.get("anyOf", ())):
            if "$ref" in part and not part["$ref"].endswith("/Sentence"):
                yield part["$ref"].rpartition("/")[2]
