"""Checks every answer of a server against the server's own OpenAPI document."""

import re
import warnings

import jsonschema

warnings.filterwarnings("ignore", category=DeprecationWarning, module="jsonschema")


class Undocumented(AssertionError):
    """An answer that the document does not describe."""


class Contract:
    """One OpenAPI document: finds the operation of a request and validates what came back."""

    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.templates = []
        for path in document["paths"]:
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
            self.templates.append((path.count("{"), re.compile(pattern + r"\Z"), path))
        self.templates.sort(key=lambda t: t[0])  # a path without a parameter wins over one with
        runs = [p for p, item in document["paths"].items() if "x-step" in item.get("post", {})]
        job = {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}}
        self.any_step = dict(document["paths"][runs[0]]["post"]) if runs else {"responses": {}}
        self.any_step.pop("requestBody", None)
        self.any_step["responses"] = {**self.any_step["responses"], "200": job, "202": job}

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def operation(self, method, path):
        """The operation that describes a request; None when the document knows none."""
        method = "get" if method == "HEAD" else method.lower()
        for _, pattern, template in self.templates:
            operation = self.document["paths"][template].get(method)
            if operation is not None and pattern.match(path):
                return operation
        # Internal steps run although they are not listed: they answer as every step does.
        if method == "post" and re.fullmatch(r"/api/v1/steps/(test|office|browser)\.[^/]+", path):
            return self.any_step
        return None

    def validate(self, value, schema):
        key = repr(schema)
        if key not in self.validators:
            whole = {"components": self.document["components"], "allOf": [schema]}
            self.validators[key] = jsonschema.Draft202012Validator(
                whole, format_checker=jsonschema.FormatChecker())
        errors = sorted(self.validators[key].iter_errors(value), key=lambda e: len(e.path))
        if errors:
            where = "/".join(str(p) for p in errors[0].absolute_path)
            raise Undocumented(f"at {where or 'the top'}: {errors[0].message[:400]}")

    def check_problem(self, answer):
        if answer.type != "application/problem+json":
            raise Undocumented(f"{answer}: a failure of type {answer.type!r}")
        problem = answer.json()
        self.validate(problem, {"$ref": "#/components/schemas/Problem"})
        if problem["status"] != answer.status or problem["trace"] != answer.headers.get("x-trace-id"):
            raise Undocumented(f"{answer}: status or trace of the problem differ from the answer's")

    def check(self, answer):
        """Status, media type and body of an answer are as the document says."""
        operation = self.operation(answer.method, answer.path)
        if operation is None:
            if answer.status >= 400 and answer.method != "HEAD":
                self.check_problem(answer)
            elif answer.status < 400 and not answer.path.startswith("/docs"):
                raise Undocumented(f"{answer}: the document has no such operation")
            return
        described = operation["responses"].get(str(answer.status))
        if described is None and answer.status >= 400:
            described = operation["responses"].get("default")
        if described is None:
            raise Undocumented(f"{answer}: the document has no {answer.status} there")
        if answer.method == "HEAD" or answer.body is None:
            return
        if answer.status < 300 and answer.sent is not None:  # what is taken is described
            sent = self.resolve(operation.get("requestBody", {})).get("content", {}).get("application/json")
            if sent is not None:
                self.validate(answer.sent, sent["schema"])
        if answer.status >= 400 and answer.type == "application/problem+json":
            self.check_problem(answer)
            return
        content = self.resolve(described).get("content")
        if not content:
            if answer.body:
                raise Undocumented(f"{answer}: a body where the document has none")
            return
        media = content.get(answer.type)
        if media is not None and answer.type == "text/event-stream":
            return  # its events are checked one by one
        if media is None and "application/octet-stream" not in content and "*/*" not in content:
            raise Undocumented(f"{answer}: type {answer.type!r} is not one of {list(content)}")
        if media is not None and answer.type == "application/json" and "schema" in media:
            self.validate(answer.json(), media["schema"])
