"""What a gate asks of a job: a policy out of a TOML file, or put together in Python."""

from __future__ import annotations

import math
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evalstore.analysis.asked import is_number
from evalstore.errors import BrokenInput, UsageError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "Policy", "Rules", "Target", "floors_of_call", "policy_of", "rule_of"]

# Strict, so that neither a word nor a yes is taken for a number.
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
RULES = ("min", "max", "max_drop", "max_error_rate", "min_rows", "max_flips")
"""The settings that are rules; the others say how they are read."""


class Rules(BaseModel):
    """What is asked of the metrics of one section."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    min: Finite | None = None
    max: Finite | None = None
    on: Literal["mean", "bound"] | None = None
    max_drop: Annotated[Finite, Field(gt=0)] | None = None
    max_error_rate: Share | None = None
    min_rows: Annotated[int, Field(strict=True, ge=1)] | None = None
    max_flips: Annotated[int, Field(strict=True, ge=0)] | None = None
    higher_is_better: Annotated[bool, Field(strict=True)] | None = None
    class_: Literal["critical", "performance"] | None = Field(default=None, alias="class")

    @property
    def has_rules(self) -> bool:
        """Whether anything is asked."""
        return any(getattr(self, rule) is not None for rule in RULES)

    @property
    def has_settings(self) -> bool:
        """Whether anything is said at all, rules or how they are read."""
        return any(getattr(self, setting) is not None for setting in Rules.model_fields)


class SuiteRules(Rules):
    """What is asked of a suite: of all its metrics, and of some by their names."""

    metrics: dict[str, Rules] = Field(default_factory=dict)


class Required(BaseModel):
    """What must have been measured."""

    model_config = ConfigDict(extra="forbid")

    suites: list[str] = Field(default_factory=list)
    metrics: list[str] = Field(default_factory=list)


class Policy(BaseModel):
    """All that a gate asks.

    A setting of a narrower section goes before that of a wider one: `[suites.S.metrics.M]`, `[metrics.M]`,
    `[suites.S]`, `[all]`. The least means of `min`, as a call names them, hold whatever the sections say.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    baseline: str | None = None
    confidence: Annotated[float, Field(strict=True, gt=0.5, lt=1)] = 0.95
    correction: Literal["holm", "bh", "none"] = "holm"
    errors: Literal["exclude", "zero", "worst"] = "exclude"
    cluster: str | None = None
    max_changed: Share = 0.05
    min_paired: Share = 0.9
    min: dict[str, Finite] = Field(default_factory=dict)
    required: Required = Field(default_factory=Required)
    all_: Rules = Field(default_factory=Rules, alias="all")
    metrics: dict[str, Rules] = Field(default_factory=dict)
    suites: dict[str, SuiteRules] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _asks_something(self) -> Policy:
        sections = [self.all_, *self.metrics.values(), *self.suites.values()]
        sections += [rules for suite in self.suites.values() for rules in suite.metrics.values()]
        required = self.required.suites or self.required.metrics
        if not (any(rules.has_rules for rules in sections) or self.min or required):
            raise ValueError(
                "it holds no rule, so there is nothing to judge: write [all] with max_drop = 0.02, or [metrics.NAME] "
                "with min = 0.85"
            )
        return self

    @property
    def needs_baseline(self) -> bool:
        """Whether a rule compares."""
        sections = [self.all_, *self.metrics.values(), *self.suites.values()]
        sections += [rules for suite in self.suites.values() for rules in suite.metrics.values()]
        return any(rules.max_drop is not None or rules.max_flips is not None for rules in sections)

    def sections(self) -> list[tuple[str | None, str | None, Rules]]:
        """The sections that name what they are about: (suite, metric, rules)."""
        found: list[tuple[str | None, str | None, Rules]] = [(None, name, one) for name, one in self.metrics.items()]
        for suite, one in self.suites.items():
            found += [(suite, None, one), *((suite, name, rules) for name, rules in one.metrics.items())]
        found += [(None, metric, Rules(min=least)) for metric, least in self.min.items()]
        return [section for section in found if section[2].has_settings]


Target = tuple[str, str, str]
"""Suite, metric and name."""


def rule_of(policy: Policy, target: Target, setting: str) -> Any:
    """The setting that holds for a metric: that of the narrowest section which has one; the strictest least mean."""
    found = _of_sections(policy, target, setting)
    if setting != "min":
        return found
    return max([*floors_of_call(policy, target), *([] if found is None else [found])], default=None)


def floors_of_call(policy: Policy, target: Target) -> list[float]:
    """The least means of a metric that hold whatever the sections say."""
    return [policy.min[name] for name in _names(target) if name in policy.min]


def _names(target: Target) -> tuple[str, str]:
    _, metric, name = target
    return f"{metric}:{name}", metric


def _of_sections(policy: Policy, target: Target, setting: str) -> Any:
    suite, names = target[0], _names(target)
    of_suite = policy.suites.get(suite)
    sections: list[Rules | None] = [of_suite.metrics.get(one) for one in names] if of_suite else []
    sections += [policy.metrics.get(one) for one in names]
    sections += [of_suite, policy.all_]
    field = "class_" if setting == "class" else setting
    return next((found for one in sections if one is not None and (found := getattr(one, field)) is not None), None)


def policy_of(given: Any, floors: Mapping[str, float] | None) -> Policy:
    """Reads a policy: the path of a TOML file, a dict or a `Policy`, with least means of metrics on top.

    Raises: BrokenInput, which names file, line and field; UsageError.
    """
    if isinstance(given, Policy):
        document = given.model_dump(by_alias=True, exclude_unset=True)
    elif isinstance(given, (str, os.PathLike)):
        return _from_file(Path(given), floors)
    elif given is None or isinstance(given, dict):
        document = dict(given or {})
    else:
        raise UsageError(f"policy is the path of a TOML file or a dict, not {type(given).__name__}")
    if given is None and not floors:
        raise UsageError("a gate needs rules: policy='gate.toml', or min={'is_correct': 0.85}")
    return _validated(_with_floors(document, floors), None, "")


def _from_file(path: Path, floors: Mapping[str, float] | None) -> Policy:
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except OSError as error:
        raise BrokenInput(error.strerror or str(error), file=path) from error
    except UnicodeDecodeError as error:
        raise BrokenInput("is not UTF-8", file=path) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        problem = str(error).replace(found[0], "").strip() if found else str(error)
        raise BrokenInput(f"is not TOML: {problem}", file=path, line=int(found[1]) if found else None) from error
    return _validated(_with_floors(document, floors), path, text)


def _with_floors(document: dict[str, Any], floors: Mapping[str, float] | None) -> dict[str, Any]:
    if floors is None:
        return document
    if not isinstance(floors, dict):
        raise UsageError(f"min is a dict of metric -> least mean such as {{'is_correct': 0.85}}, not {floors!r}")
    for metric, least in floors.items():
        _check_floor(metric, least)
    told = document.get("min", {})
    if not isinstance(told, dict) or not all(is_number(told.get(one, 0)) for one in floors):
        return document  # the policy is wrong as it is, which is said of it
    strictest = {metric: max(float(least), told.get(metric, -math.inf)) for metric, least in floors.items()}
    return {**document, "min": told | strictest}


def _check_floor(metric: Any, least: Any) -> None:
    if not isinstance(metric, str) or not is_number(least) or not math.isfinite(least):
        raise UsageError(f"min is a dict of metric -> least mean such as {{'ok': 0.85}}, not {{{metric!r}: {least!r}}}")


def _validated(document: dict[str, Any], file: Path | None, text: str) -> Policy:
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]]
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            problem = f"there is no such setting; {near(place[-1], _settings(place[:-1]), most=20)}"
            if isinstance(first["input"], dict) and place[0] in ("metrics", "suites"):
                problem += f'; a name with dots is quoted: [{place[0]}."{".".join(place[1:])}"]'
        field = ".".join(place) or None
        if file is None:
            raise UsageError(f"policy: {f'field {field!r}: ' if field else ''}{problem}") from error
        if not field:  # a policy without rules is wrong usage, wherever it stands
            raise UsageError(f"{file}: {problem}") from error
        raise BrokenInput(problem, file=file, line=_line_of(text, place), field=field) from error


def _settings(section: list[str]) -> list[str]:
    """What may stand in a section."""
    if not section:
        return [field.alias or name for name, field in Policy.model_fields.items()]
    if section[0] == "required":
        return list(Required.model_fields)
    return [field.alias or name for name, field in Rules.model_fields.items()]


def _line_of(text: str, place: list[str]) -> int | None:
    """Where a field stands in a TOML file: the line of its key, else that of its section."""
    section: list[str] = []
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.fullmatch(r"\s*\[+\s*(.+?)\s*\]+\s*(?:#.*)?", line):
            section, here = _keys(header[1]), _keys(header[1])
        elif key := re.match(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=", line):
            here = [*section, *_keys(key[1])]
        else:
            continue
        shared = min(len(here), len(place))
        if here[:shared] == place[:shared] and shared > depth:
            best, depth = number, shared
    return best


def _keys(dotted: str) -> list[str]:
    return [
        quoted or single or bare for quoted, single, bare in re.findall(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"']+)", dotted)
    ]
