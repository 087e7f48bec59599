"""The OpenAPI document: its structure, its references, its examples; and the golden files."""

import json
import re
import subprocess

import jsonschema
import pytest

from platen import BUILD, ROOT, SANITIZED, cli

# The rules of OpenAPI 3.1 that this document uses, as JSON Schema: a document that breaks one does not get past a generator.
NAME = r"^[A-Za-z0-9._-]+$"
REF = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"type": "string", "pattern": "^#/components/"},
                                                            "description": {"type": "string"}, "summary": {"type": "string"}},
       "additionalProperties": False}


def or_ref(schema):
    return {"if": {"required": ["$ref"]}, "then": REF, "else": schema}


MEDIA = {"type": "object", "additionalProperties": False, "patternProperties": {"^x-": True},
         "properties": {"schema": {"type": ["object", "boolean"]}, "example": True, "examples": {"type": "object"},
                        "encoding": {"type": "object"}}}
CONTENT = {"type": "object", "minProperties": 1, "patternProperties": {r"^[\w.+*-]+/[\w.+*-]+": MEDIA}, "additionalProperties": False}
PARAMETER = or_ref({"type": "object", "required": ["name", "in"], "additionalProperties": False,
                    "oneOf": [{"required": ["schema"]}, {"required": ["content"]}],
                    "patternProperties": {"^x-": True},
                    "properties": {"name": {"type": "string", "minLength": 1}, "in": {"enum": ["query", "header", "path", "cookie"]},
                                   "required": {"type": "boolean"}, "description": {"type": "string"}, "schema": {"type": "object"},
                                   "content": {"type": "object", "minProperties": 1, "maxProperties": 1},
                                   "style": {"enum": ["form", "simple"]}, "explode": {"type": "boolean"}, "deprecated": {"type": "boolean"},
                                   "example": True, "examples": {"type": "object"}},
                    "if": {"properties": {"in": {"const": "path"}}}, "then": {"required": ["required"], "properties": {"required": {"const": True}}}})
HEADER = or_ref({"type": "object", "required": ["schema"], "properties": {"schema": {"type": "object"}, "description": {"type": "string"}}})
RESPONSE = or_ref({"type": "object", "required": ["description"], "additionalProperties": False, "patternProperties": {"^x-": True},
                   "properties": {"description": {"type": "string"}, "content": CONTENT, "links": {"type": "object"},
                                  "headers": {"type": "object", "additionalProperties": HEADER}}})
BODY = or_ref({"type": "object", "required": ["content"], "additionalProperties": False,
               "properties": {"content": CONTENT, "required": {"type": "boolean"}, "description": {"type": "string"}}})
SECURITY = {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}}
OPERATION = {
    "type": "object", "required": ["operationId", "responses", "summary", "tags"], "additionalProperties": False,
    "patternProperties": {"^x-": True},
    "properties": {
        "operationId": {"type": "string", "pattern": NAME}, "summary": {"type": "string", "minLength": 3}, "description": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1}, "parameters": {"type": "array", "items": PARAMETER},
        "requestBody": BODY, "security": SECURITY, "deprecated": {"type": "boolean"},
        "responses": {"type": "object", "minProperties": 1, "patternProperties": {r"^([1-5]\d\d|default)$": RESPONSE}, "additionalProperties": False}}}
DOCUMENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object", "required": ["openapi", "info", "paths", "components"], "additionalProperties": False,
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "servers": {"type": "array", "items": {"type": "object", "required": ["url"]}},
        "tags": {"type": "array", "items": {"type": "object", "required": ["name"]}},
        "security": SECURITY,
        "paths": {"type": "object", "minProperties": 20, "patternProperties": {"^/": {
            "type": "object", "minProperties": 1,
            "patternProperties": {"^(get|put|post|delete|options|head|patch|trace)$": OPERATION, "^(summary|description)$": {"type": "string"}},
            "additionalProperties": False}}, "additionalProperties": False},
        "components": {"type": "object", "additionalProperties": False, "properties": {
            "schemas": {"type": "object", "propertyNames": {"pattern": NAME}},
            "responses": {"type": "object", "additionalProperties": RESPONSE},
            "parameters": {"type": "object", "additionalProperties": PARAMETER},
            "requestBodies": {"type": "object", "additionalProperties": BODY},
            "headers": {"type": "object", "additionalProperties": HEADER},
            "securitySchemes": {"type": "object", "additionalProperties": {"type": "object", "required": ["type"]}}}}}}


@pytest.fixture(scope="module")
def document():
    return json.loads(cli("openapi", check=0).stdout)


def walk(node, path=""):
    yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from walk(child, f"{path}/{key}")


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def resolve(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def test_structure(document):
    jsonschema.Draft202012Validator.check_schema(DOCUMENT)
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in jsonschema.Draft202012Validator(DOCUMENT).iter_errors(document)]
    assert not errors, errors[:10]


def test_references_resolve_and_nothing_is_left_over(document):
    used = {node["$ref"] for _, node in walk(document) if isinstance(node, dict) and isinstance(node.get("$ref"), str)}
    for ref in used:
        assert isinstance(resolve(document, {"$ref": ref}), dict), ref
    for kind, members in document["components"].items():
        for name in members:
            if kind != "securitySchemes":
                assert f"#/components/{kind}/{name}" in used, f"nobody refers to {kind}/{name}"


def test_operations_have_ids_of_their_own(document):
    ids = [o["operationId"] for _, _, o in operations(document)]
    assert len(ids) == len(set(ids))
    known = {t["name"] for t in document["tags"]}
    for _, path, o in operations(document):
        assert set(o["tags"]) <= known, path
        assert any(code.startswith("2") or code == "101" for code in o["responses"]), path


def test_parameters_of_paths_are_declared(document):
    for method, path, o in operations(document):
        declared = [resolve(document, p) for p in o.get("parameters", [])]
        names = [(p["in"], p["name"]) for p in declared]
        assert len(names) == len(set(names)), f"{method} {path} declares a parameter twice"
        in_path = {p["name"] for p in declared if p["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), f"{method} {path}"


def test_idempotency_keys_are_promised_where_they_work(document):
    takes = {o["operationId"] for _, _, o in operations(document)
             if any(resolve(document, p)["name"] == "Idempotency-Key" for p in o.get("parameters", []))}
    assert takes == {o["operationId"] for _, _, o in operations(document) if "x-step" in o} | {
        "documents_add", "documents_keep", "steps_batch", "schedules_run", "queues_send", "jobs_add", "pipelines_run",
        "pipelines_batch", "events_publish"}


def test_security(document):
    schemes = set(document["components"]["securitySchemes"])
    for method, path, o in operations(document):
        asked = [name for one in o.get("security", []) for name in one]
        assert set(asked) <= schemes
        public = not path.startswith("/api/") or path.startswith(("/api/v1/callbacks/", "/api/v1/hooks/"))  # the address is the permission
        public = public or o["operationId"] == "session_start"  # the key is in the body
        assert bool(asked) != public, f"{method} {path}"
        if asked:
            assert {"401", "403"} <= set(o["responses"]) and o["x-role"], f"{method} {path}"


def test_every_schema_is_a_schema_and_its_examples_fit(document):
    def check(place, schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        whole = {"components": document["components"], "allOf": [schema]}
        validator = jsonschema.Draft202012Validator(whole)
        for example in schema.get("examples", []) + ([schema["default"]] if "default" in schema else []):
            errors = [e.message for e in validator.iter_errors(example)]
            assert not errors, f"{place}: {example!r}: {errors}"
        if "enum" in schema:
            assert schema["enum"] and len(schema["enum"]) == len(set(schema["enum"])), place
        for name in schema.get("required", []):
            assert name in schema.get("properties", {name: 1}), f"{place} requires {name}"
    count = 0
    for path, node in walk(document):
        if isinstance(node, dict) and re.search(r"/(schema|schemas/\w+|items|properties/[\w-]+)\Z", path) and "/examples/" not in path:
            check(path, node)
            count += 1
    assert count > 100


def test_examples_of_bodies_fit(document):
    count = 0
    for method, path, o in operations(document):
        content = resolve(document, o.get("requestBody", {})).get("content", {})
        for media, described in content.items():
            shown = [described["example"]] if "example" in described else []
            shown += [resolve(document, e).get("value") for e in described.get("examples", {}).values()]
            for example in shown:
                if media == "application/json":
                    whole = {"components": document["components"], "allOf": [described["schema"]]}
                    errors = [e.message for e in jsonschema.Draft202012Validator(whole).iter_errors(example)]
                    assert not errors, f"{method} {path}: {example}: {errors}"
                    count += 1
    assert count >= 1


def test_every_step_is_an_operation_of_its_own(document):
    steps = json.loads(cli("steps", "--json", check=0).stdout)["steps"]
    described = {o["x-step"]: (path, o) for _, path, o in operations(document) if "x-step" in o}
    assert set(described) == {s["name"] for s in steps}
    for step in steps:
        path, o = described[step["name"]]
        assert path == f"/api/v1/steps/{step['name']}"
        query = {resolve(document, p)["name"] for p in o["parameters"]}
        assert {"wait", "priority", "Idempotency-Key"} <= query
        content = o["requestBody"]["content"]
        assert "application/json" in content
        params = {p["name"] for p in step.get("params", [])}
        if step.get("accepts"):
            assert "multipart/form-data" in content and len(content) >= 3 and params <= query, step["name"]
            form = resolve(document, content["multipart/form-data"]["schema"])["properties"]
            assert params | {"file"} <= set(form), step["name"]
        described_params = resolve(document, content["application/json"]["schema"])["properties"]["params"]
        assert params == set(resolve(document, described_params).get("properties", {})), step["name"]


def test_every_route_of_the_source_is_described(document):
    source = "".join(p.read_text() for p in sorted((ROOT / "src/api").glob("operations_*.def")))
    rows = [(row[:row.index('"')], re.search(r'\.path = "([^"]+)"', row)[1], row) for row in source.split('.method = "')[1:]]
    assert len(rows) > 30
    described = {(m.upper(), p) for m, p, _ in operations(document)}
    for method, path, row in rows:
        if ".hidden = true" not in row and ".per_step = true" not in row:
            assert (method, path) in described, (method, path)


@pytest.mark.skipif(SANITIZED, reason="once is enough, with the other build")
def test_golden_files_are_current():
    done = subprocess.run(["sh", "tools/golden.sh", str(BUILD), "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
