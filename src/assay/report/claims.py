"""The claims of a paper, as experiments/<paper>/claims.yaml states them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from assay.config.suggest import did_you_mean
from assay.errors import AssayError, InputError
from assay.report.rules import Rule, read_rule


@dataclass(frozen=True)
class Claim:
    """One checkable statement: where it stands, the paper's figure, the source of ours, and the rule that decides."""

    id: str
    statement: str
    source: str  # paper, reviewers or derived, and where it stands
    where: str  # section or figure of the paper
    experiment: str
    metric: str
    rule: Rule
    paper_value: float | None = None
    paper_text: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    minus: str | None = None
    comparable: bool = True
    reason: str | None = None
    beyond: bool = False
    exact: bool = False  # the figure follows from the settings and does not depend on the seed
    each: bool = False  # a guarantee: every seed must obey the rule, and the figure goes from the lowest to the highest

    @property
    def overrides(self) -> list[str]:
        """The command line's words for the settings, sorted."""
        return [f"{key}={_word(value)}" for key, value in sorted(self.settings.items())]


@dataclass(frozen=True)
class PaperClaims:
    """All claims of one paper."""

    paper: str
    reference: str
    claims: tuple[Claim, ...]


def read_claims(file: Path) -> PaperClaims:
    """The checked content of a claims.yaml; raises AssayError with one line that says what to change, and where."""
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssayError(f"{file}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise AssayError(f"{file}: not YAML ({' '.join(str(error).split())})") from error
    content = _mapping(content, f"{file}")
    _known(content, ("paper", "reference", "claims"), f"{file}")
    paper, reference = (_text(_required(content, key, f"{file}"), f"{file}: {key}") for key in ("paper", "reference"))
    entries = _required(content, "claims", f"{file}")
    if not isinstance(entries, list) or not entries:
        raise AssayError(f"{file}: claims must be a list with at least one claim")
    claims = tuple(_claim(entry, f"{file}: claims[{place}]") for place, entry in enumerate(entries))
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise AssayError(f"{file}: claim id {claim.id} stands twice")
        seen.add(claim.id)
    return PaperClaims(paper, reference, claims)


def select_claims(claims: Sequence[Claim], wanted: Iterable[str] | None) -> list[Claim]:
    """The claims of the given ids, in the file's order (None or empty: all); raises InputError for an unknown id."""
    ids = list(wanted or ())
    known = [claim.id for claim in claims]
    for name in ids:
        if name not in known:
            raise InputError("claims", name, "no such claim", did_you_mean(name, known))
    return [claim for claim in claims if not ids or claim.id in ids]


def _claim(entry: Any, where: str) -> Claim:
    entry = _mapping(entry, where)
    where = f"{where} ({entry.get('id', 'without id')})"
    known = {f.name: f for f in fields(Claim)}
    _known(entry, known, where)
    for name, declared in known.items():
        if declared.default is NO_DEFAULT and declared.default_factory is NO_DEFAULT:
            _required(entry, name, where)
    given = dict(entry)
    for name in ("id", "statement", "source", "where", "experiment", "metric"):
        given[name] = _text(entry[name], f"{where}: {name}")
    if not re.match(r"(paper|reviewers|derived)\b", given["source"]):
        raise AssayError(f"{where}: source={given['source']}: must begin with paper, reviewers or derived")
    for name in ("paper_text", "minus", "reason"):
        if entry.get(name) is not None:
            given[name] = _text(entry[name], f"{where}: {name}")
    for name in ("comparable", "beyond", "exact", "each"):
        if not isinstance(given.get(name, True), bool):
            raise AssayError(f"{where}: {name}={given[name]}: must be true or false")
    if entry.get("paper_value") is not None:
        given["paper_value"] = _number(entry["paper_value"], f"{where}: paper_value")
    given["settings"] = dict(_mapping(entry.get("settings") or {}, f"{where}: settings"))
    given["rule"] = read_rule(entry["rule"], f"{where}: rule")
    if not given.get("comparable", True) and not given.get("reason"):
        raise AssayError(f"{where}: comparable: false needs a reason")
    return Claim(**given)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise AssayError(f"{where}: must be keys with values, found {type(value).__name__}")
    return value


def _known(entry: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in entry:
        if key not in known:
            raise AssayError(f"{where}: unknown key {key} ({did_you_mean(key, known)})")


def _required(entry: Mapping[str, Any], key: str, where: str) -> Any:
    if entry.get(key) is None:
        raise AssayError(f"{where}: {key} is missing")
    return entry[key]


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise AssayError(f"{where} must be text, found {value!r}")
    return " ".join(value.split())


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AssayError(f"{where} must be a number, found {value!r}")
    return float(value)


def _word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(_word(entry) for entry in value)}]"
    return str(value)
