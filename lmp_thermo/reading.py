"""Reading study files strictly, and saying in one line what is wrong with them."""

import difflib
import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lmp_thermo.errors import StudyError

MAX_STUDY_BYTES = 1_000_000

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


def _kept_as_json(values: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(
            "expected text, finite numbers, lists and mappings only; put dates in quotes, and "
            "leave .nan and .inf out"
        ) from None
    return values


Arguments = Annotated[dict[str, Any], AfterValidator(_kept_as_json)]


class Section(BaseModel):
    """A part of the study file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())


class _StrictLoader(yaml.SafeLoader):
    """YAML loader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float):
                raise yaml.MarkedYAMLError(
                    problem="a key that is no text", problem_mark=node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key}' is given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top is a mapping; no key twice, no Python objects.

    Raises:
        StudyError: one line that says what is wrong with the file.
    """
    try:
        if path.stat().st_size > MAX_STUDY_BYTES:
            raise StudyError(f"{path}: larger than {MAX_STUDY_BYTES} bytes; not a study file")
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file; expected a study file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read ({error}); expected a study file") from None
    except yaml.YAMLError as error:
        text = " ".join(str(error).split())
        raise StudyError(f"{path}: no valid YAML: {text}") from None
    if not isinstance(data, dict):
        raise StudyError(f"{path}: got {type(data).__name__}, expected a mapping of sections")
    return data


def merged(base: dict[str, Any], changes: Any) -> dict[str, Any]:
    """`base` with the values of `changes`, mapping by mapping.

    Raises:
        StudyError: `changes` is no mapping.
    """
    if not isinstance(changes, dict):
        raise StudyError(f"variants: got {changes!r}, expected a mapping like the study itself")
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = merged(old, value)  # noqa: PLW2901
        result[key] = value
    return result


def first_problem(model: type[BaseModel], error: ValidationError) -> str:
    """The first of pydantic's complaints as one line: key, value, expectation, remedy."""
    # a key that is unknown comes first: it is often the one that is missing, misspelt
    problems = sorted(
        error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden"
    )
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "study"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        hint = _nearest(model, first["loc"])
        return f"{key}: unknown key{hint}; remove it or mend its name{more}"
    if kind == "missing":
        return f"{key}: missing, expected a value; add it{more}"
    message = first["msg"].removeprefix("Value error, ")
    got = first.get("input")
    shown = repr(got) if not isinstance(got, dict | list) or len(repr(got)) < 80 else "these values"
    if kind == "value_error":
        return f"{key}: {message}{more}"
    return f"{key} = {shown}: {message[0].lower()}{message[1:]}; change it{more}"


def _nearest(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    section: Any = model
    for part in location[:-1]:
        if isinstance(part, str) and section is not None:
            field = section.model_fields.get(part)
            section = _section_in(field.annotation) if field else None
    if section is None:
        return ""
    close = difflib.get_close_matches(
        str(location[-1]), list(section.model_fields), n=1, cutoff=0.5
    )
    return f", did you mean '{close[0]}'" if close else ""


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _section_in(inner)
        if found is not None:
            return found
    return None
