"""The reference of all configuration keys as a page: each key with its type, its default and the reason for the default.

Types, bounds and meanings come from the JSON Schemas, which pydantic writes from the classes of `config`. A default and its
reason come from `config/config.yaml`: the value, and the comment above it. Pages are Markdown; one heading holds one section.

In this file: the page; its tables; a type in words; the comments of a YAML file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from reversegen.core.markdown import markdown_table

Schema = Mapping[str, Any]
Path = tuple[str, ...]
ABSENT = object()
"""The default of a key without one, since null is a value."""
INTRODUCTION = """\
# Configuration reference

Every key of `config/`, with its type, its default and the reason for the default. `make reference` writes this page from the
types in `scripts/reversegen/config` and from the comments in `config/config.yaml`, so edit those and not the page.
[Configuration](configuration.md) explains what belongs together.

A key without a default is required, unless its type allows null. `config/schema/` has the same types for editors."""
PARTS = (
    (
        "The workflow: config/config.yaml",
        "config.schema.json",
        "These keys hold for all tasks. `defaults` holds the keys of the next part.",
    ),
    (
        "A task: config/tasks/NAME.yaml",
        "task.schema.json",
        "A key that a task does not give comes from its parent if it `extends` one, and otherwise from `defaults` in "
        "`config/config.yaml`. Sections are merged key by key.",
    ),
    (
        "A model: config/models.yaml",
        "models.schema.json",
        "The file maps names to models. Each model has exactly one of `hub`, `folder`, `endpoint` and `train`.",
    ),
)
"""The heading of each part of the page, the schema that it shows and what a reader must know first."""
HEAD = ("key", "type", "default", "meaning")


@dataclass
class KeyTables:
    """The tables of one schema, in the order in which a reader meets the sections."""

    schema: Schema
    defaults: Mapping[str, Any]
    """The shipped values, as nested mappings."""
    reasons: Mapping[Path, str]
    """The comment above each key of the shipped values."""
    headings: dict[str, str] = field(default_factory=dict)
    """The heading under which each class has its table: that of the first key that holds it."""

    def sections(self, name: str, node: Schema, path: Path = ()) -> Iterator[str]:
        """A section's heading, text and table, then those of the sections in it; `name` is its heading, '' for none."""
        properties = node.get("properties", {})
        nested = [(key, *self._class_of(value)) for key, value in properties.items()]
        if name:
            yield f"### `{name}`"
        if path and node.get("description"):
            yield str(node["description"]).partition("\n")[0]
        yield self._table(name, node, path)
        yield from self._shipped_entries(path if name.endswith(".NAME") else ())
        for key, title, names in nested:
            inner = f"{name}.{key}" if name else key
            where = (*path, key)
            if title is not None:
                shown = f"{inner}.NAME" if names else inner
                yield from self._inner_section(shown, title, where)

    def _inner_section(self, name: str, title: str, path: Path) -> Iterator[str]:
        """A section of a class, whole at its first place, and at any other one the defaults that differ."""
        node = self.schema["$defs"][title]
        if self.headings[title] == name:
            yield from self.sections(name, node, path)
        elif keys := self._differing(title, self.headings[title], path):
            first = self.headings[title]
            yield f"### `{name}`"
            yield f"As [`{first}`](#{anchor(first)}), with these defaults:"
            yield self._table(name, {"properties": {key: node["properties"][key] for key in keys}}, path)

    def _differs(self, path: Path, other: Path) -> bool:
        return self._default(path) != self._default(other) or self.reasons.get(path) != self.reasons.get(other)

    def _shipped_entries(self, path: Path) -> Iterator[str]:
        """The entries that ship below a key whose names a user chooses, each with its reason."""
        values = self._default(path) if path else None
        if isinstance(values, Mapping) and any((*path, name) in self.reasons for name in values):
            yield "As shipped:"
            lines = [
                f"- `{name}: {_flow(value)}`. {_sentences(self.reasons.get((*path, name), ''))}".strip()
                for name, value in values.items()
            ]
            yield "\n".join(lines)

    def _table(self, name: str, node: Schema, path: Path) -> str:
        rows = []
        for key, value in node.get("properties", {}).items():
            inner = f"{name}.{key}" if name else key
            title, names = self._class_of(value)
            default = self._default((*path, key))
            if default is ABSENT and "default" in value:
                default = value["default"]
            meaning, reason = value.get("description", ""), self.reasons.get((*path, key), "")
            parts = [_sentences("" if meaning in reason else meaning), _sentences(reason)]
            if title is not None:
                heading = self._heading(title, f"{inner}.NAME" if names else inner, (*path, key))
                parts.append(f"Keys: [`{heading}`](#{anchor(heading)}).")
            text = "<br>".join(_cell(part) for part in parts if part)
            rows.append((f"`{key}`", self._type(value), _shown_default(default), text))
        return markdown_table(HEAD, rows, text_columns=4)

    def _heading(self, title: str, name: str, path: Path) -> str:
        """The heading that has the table of a section: its own, or the first one of its class."""
        first = self.headings.setdefault(title, name)
        return name if self._differing(title, first, path) else first

    def _differing(self, title: str, first: str, path: Path) -> list[str]:
        """The keys whose shipped default or reason is another one than at the first place of the class."""
        if not isinstance(self._default(path), Mapping):
            return []
        before = tuple(part for part in first.split(".") if part != "NAME")
        keys = self.schema["$defs"][title]["properties"]
        return [key for key in keys if self._differs((*path, key), (*before, key))]

    def _default(self, path: Path) -> Any:
        value: Any = self.defaults
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return ABSENT
            value = value[key]
        return value

    def _class_of(self, node: Schema) -> tuple[str | None, bool]:
        """The class of the section that a key holds, and whether it holds one for each name; None if it holds no section."""
        for one in (node, *node.get("anyOf", ())):
            named = _values_by_name(one)
            for place, several in ((one, False), (named, True)):
                title = str(place.get("$ref", "")).rpartition("/")[2]
                if "properties" in self.schema["$defs"].get(title, {}):
                    return title, several
        return None, False

    def _type(self, node: Schema) -> str:
        """A type in words, with its bounds."""
        if "anyOf" in node:
            return " or ".join(dict.fromkeys(self._type(one) for one in node["anyOf"]))
        if "$ref" in node:
            return "section" if self._class_of(node)[0] else "any value"
        if "enum" in node or "const" in node:
            return " or ".join(f"`{one}`" for one in node.get("enum", [node.get("const")]))
        if node.get("type") == "array":
            return f"list of {self._type(node.get('items', {}))}"
        if node.get("type") == "object":
            named = _values_by_name(node)
            return f"{self._type(named)} by name" if named else "mapping"
        words = {"integer": "integer", "number": "number", "boolean": "true or false", "string": "text", "null": "null"}
        return words.get(node.get("type", ""), "any value") + _bounds(node)


def configuration_page(schemas: Mapping[str, Schema], shipped: str) -> str:
    """The page, from the schemas as `json_schemas` gives them and the text of `config/config.yaml`."""
    values, reasons = yaml.safe_load(shipped), key_comments(shipped)
    task_reasons = {path[1:]: reason for path, reason in reasons.items() if path[0] == "defaults" and path[1:]}
    given: dict[str, tuple[Mapping[str, Any], Mapping[Path, str]]] = {
        "config.schema.json": (values, reasons),
        "task.schema.json": (values["defaults"], task_reasons),
        "models.schema.json": ({}, {}),
    }
    blocks = [INTRODUCTION]
    for heading, file, text in PARTS:
        schema = schemas[file]
        root = schema["additionalProperties"] if file == "models.schema.json" else schema
        properties = {key: value for key, value in root["properties"].items() if key != "defaults"}
        defaults, comments = given[file]
        blocks += [f"## {heading}", text]
        blocks += KeyTables(schema, defaults, comments).sections("", {"properties": properties})
    return "\n\n".join(blocks) + "\n"


def key_comments(text: str) -> dict[Path, str]:
    """The comment directly above each key of a YAML file, by the keys that lead to it; a merged key has that of its origin."""
    lines = text.splitlines()
    return dict(_comments_below(yaml.compose(text, yaml.SafeLoader), lines, ()))


def _comments_below(node: yaml.Node | None, lines: Sequence[str], path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in sorted(node.value, key=lambda pair: pair[0].value != "<<"):
        if key.value == "<<":
            yield from _comments_below(value, lines, path)
            continue
        mark, above = key.start_mark, list[str]()
        if not lines[mark.line][: mark.column].strip():
            for line in reversed(lines[: mark.line]):
                if not line.strip().startswith("#"):
                    break
                above.insert(0, line.strip().removeprefix("#").strip())
        if above:
            yield (*path, key.value), " ".join(above)
        yield from _comments_below(value, lines, (*path, key.value))


def anchor(heading: str) -> str:
    """The anchor that Markdown gives a heading of keys."""
    return heading.replace(".", "").lower()


def _values_by_name(node: Schema) -> Schema:
    """The schema of the values under names that a user chooses; empty if the names are fixed."""
    patterns = list(node.get("patternProperties", {}).values())
    named = node.get("additionalProperties") or (patterns[0] if patterns else {})
    return named if isinstance(named, Mapping) else {}


def _bounds(node: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    parts = [f"{sign} {int(node[key]):,}" for key, sign in signs.items() if key in node]
    return f" {' and '.join(parts)}" if parts else ""


def _sentences(*texts: str) -> str:
    """Texts as sentences: each begins with a capital and ends with a full stop."""
    whole = [text[0].upper() + text[1:] for text in texts if text]
    return " ".join(text if text.endswith((".", "?", "!")) else f"{text}." for text in whole)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def _shown_default(value: Any) -> str:
    if value is ABSENT or (isinstance(value, Mapping) and value):
        return ""
    return f"`{_flow(value)}`".replace("|", r"\|")


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix("...\n").strip()
