"""Writes the schemas of this folder: the parts of the originals that the job templates need, as JSON Schema.

    pip install kubernetes-validate==1.37.0 botocore==1.44.8
    python extract.py

- kubernetes-job.json: a Job of batch/v1, Kubernetes 1.33, strict: unknown properties are refused.
- aws-batch.json: the requests RegisterJobDefinition and SubmitJob, from the service model of botocore.
"""

import json
import re
from pathlib import Path

import botocore.loaders
import kubernetes_validate

FOLDER = Path(__file__).parent
KUBERNETES = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema/v1.33.0-local-strict"


def write(name, schema):
    (FOLDER / name).write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


def stripped(node):
    """Without descriptions and extensions; references become local."""
    if isinstance(node, list):
        return [stripped(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: value if key != "properties" else {name: stripped(part) for name, part in value.items()}
        for key, value in node.items()
        if key == "properties" or not (key in ("description", "default") or key.startswith("x-kubernetes"))
    }
    return {
        key: re.sub(r"^.*#/\$defs/", "#/$defs/", value) if key == "$ref" else (value if key == "properties" else stripped(value))
        for key, value in kept.items()
    }


def references(node):
    return set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(node)))


def closed(root, definitions):
    """`root` with all definitions that it needs."""
    needed, waiting = {}, references(root)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions(name)
            waiting |= references(needed[name])
    return {**root, "$defs": needed}


def kubernetes_job():
    definitions = json.loads((KUBERNETES / "_definitions.json").read_text())["$defs"]
    root = stripped(json.loads((KUBERNETES / "job-batch-v1.json").read_text()))
    # The original accepts null for them.
    root["properties"]["apiVersion"] = {"const": "batch/v1"}
    root["properties"]["kind"] = {"const": "Job"}
    root["required"] = ["apiVersion", "kind", "metadata", "spec"]
    # Written by the server.
    del root["properties"]["status"]
    return closed(root, lambda name: stripped(definitions[name]))


def aws_batch():
    model = botocore.loaders.Loader().load_service_model("batch", "service-2")
    simple = {"integer": "integer", "long": "integer", "float": "number", "double": "number", "boolean": "boolean"}

    def converted(name):
        shape = model["shapes"][name]
        kind = shape["type"]
        if kind == "structure":
            members = {key: {"$ref": f"#/$defs/{member['shape']}"} for key, member in shape["members"].items()}
            return {"type": "object", "properties": members, "required": shape.get("required", []), "additionalProperties": False}
        if kind == "list":
            return {"type": "array", "items": {"$ref": f"#/$defs/{shape['member']['shape']}"}}
        if kind == "map":
            return {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{shape['value']['shape']}"}}
        if kind == "string":
            return {"type": "string", **({"enum": shape["enum"]} if "enum" in shape else {})}
        return {"type": simple[kind]}

    requests = ["RegisterJobDefinitionRequest", "SubmitJobRequest"]
    return closed({"anyOf": [{"$ref": f"#/$defs/{name}"} for name in requests]}, converted)


write("kubernetes-job.json", kubernetes_job())
write("aws-batch.json", aws_batch())
