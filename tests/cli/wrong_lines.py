"""Wrong command lines, made by kind over all groups, options and keys."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import yaml
from tests.cli.wrong_choices import OWN, of_needs, of_own_data, of_sweeps

from assay.config.limits import Limit
from assay.config.listing import experiments, options
from assay.config.locations import conf_root
from assay.config.root import GROUPS

Line = list[str]


def wrong_lines() -> list[Line]:
    """Every wrong line, each once."""
    made = [*_of_options(), *_of_keys(), *_of_targets(), *_of_root(), *_of_flags(), *_of_commands()]
    made += [*of_sweeps(), *of_needs(), *of_own_data()]
    return [list(line) for line in dict.fromkeys(map(tuple, made))]


def _options() -> Iterator[tuple[str, str, type]]:
    """Group, name and class of every shipped option that runs without a file of the user's."""
    for group in GROUPS:
        for name, _ in options(group):
            values = _values(group, name)
            if "_target_" in values:
                module, _, owner = values["_target_"].rpartition(".")
                yield group, name, getattr(importlib.import_module(module), owner)


def _values(group: str, name: str) -> dict[str, Any]:
    content = yaml.safe_load((conf_root() / group / f"{name}.yaml").read_text())
    for base in content.pop("defaults", []):
        if isinstance(base, str) and base != "_self_":
            content = {**_values(group, base), **content}
    return dict(content)


def _of_options() -> Iterator[Line]:
    """Options that no group has: misspelt, empty, lists, mappings in the place of a name; misspelt keys of each option."""
    for group in GROUPS:
        names = [name for name, _ in options(group)]
        for name in (names[0] + "x", "Nonsense", "[a,b]", "null", "'a b'", "../secret", "", "1e9"):
            yield ["run", f"{group}={name}"]
        yield ["run", f"{group.upper()}={names[0]}"]
        for name in names[:3]:
            yield ["run", f"{group}={name}", f"{group}.nonsense=1"]
    for name, _ in experiments()[:6]:
        yield ["run", f"experiment={name}x"]
        yield ["run", f"experiment={name}", "scale=enormous"]


def _of_keys() -> Iterator[Line]:
    """A mapping, a text or a list where a number is due, and numbers beyond the limits, for every key of every option."""
    for group, name, owner in _options():
        if not dataclasses.is_dataclass(owner) or (group == "dataset" and name not in ("diabetes", "csv", "digits")):
            continue
        hints = get_type_hints(owner, include_extras=True)
        for field in dataclasses.fields(owner):
            bare = _bare(hints[field.name])
            chosen = ["run", *([] if name == "csv" else [f"{group}={name}"]), *(OWN if name == "csv" else [])]
            key = f"{group}.{field.name}"
            if field.name in ("name", "path", "target") or key == "task.contenders":
                continue
            if bare in (int, float, bool):
                yield [*chosen, f"{key}=nonsense"]
            if bare in (int, float):
                for value in (-1e300, "nan"):
                    if not all(limit.holds(float(value)) for limit in _limits(hints[field.name])):
                        yield [*chosen, f"{key}={value}"]
            elif bare in (bool, str) or get_origin(bare) is not dict:
                yield [*chosen, f"{key}={{a:{{b:1}}}}"]


def _bare(hint: Any) -> Any:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    parts = [part for part in get_args(hint) if part is not type(None)]
    return _bare(parts[0]) if len(parts) == 1 and type(None) in get_args(hint) else hint


def _limits(hint: Any) -> list[Limit]:
    if get_origin(hint) is Annotated:
        return [extra for extra in get_args(hint)[1:] if isinstance(extra, Limit)]
    return [limit for part in get_args(hint) for limit in _limits(part)]


def _of_targets() -> Iterator[Line]:
    """Classes that no option is: none, not importable, functions, Python's own, other groups'."""
    for group in (*GROUPS[:-1], "paths"):
        for target in (
            *("nonsense", "5", "null", "''", "nowhere.Option", "assay.nowhere.Option", "assay.errors.Nothing"),
            *("os.system", "subprocess.Popen", "builtins.eval", "pathlib.Path", "shutil.rmtree", "numpy.add"),
            *("assay.errors.InputError", "assay.config.suggest.nearest", "numpy.ndarray"),
        ):
            yield ["run", f"{group}._target_={target}"]
    for target in ("nowhere.Mine", "os.system", "subprocess.Popen", "assay.errors.Nothing", "[]"):
        yield ["run", "task=train", "model=module", f"model.target={target}"]
        yield ["run", "logger=lightning", f"logger.target={target}"]


def _of_root() -> Iterator[Line]:
    """Keys outside the groups: unknown ones, wrong types, and values beyond their limits."""
    for key in ("sed", "worker", "outputs", "output", "data", "epsilon", "verbose", "device", "batch_size", "seed.x"):
        yield ["run", f"{key}=1"]
        yield ["run", f"+{key}=1"]
    for key, values in {
        "seed": ("-1", "x", "1.5", "null", "[1]", "1e30", "true", "{a:1}"),
        "workers": ("0", "-1", "1e9", "x", "null", "1.5", "[2]"),
        "scale": ("huge", "1", "null", "[smoke]", "SMOKE"),
        "seeds": ("0", "x", "null", "-3"),
        "progress": ("yes", "1", "null", "[true]"),
        "rerun": ("maybe", "2", "null"),
        "report": ("html", "null"),
        "name": ("''", "/etc", "../up", "a//b", "null", "'a b'", "a" * 300, "[a]"),
        "paths.outputs": ("''", "null", "[a]"),
        "hydra.run.dir": ("x",),
        "hydra.sweep.dir": ("x",),
        "hydra.sweep.subdir": ("x",),
        "hydra.job.chdir": ("true",),
        "hydra.output_subdir": (".hydra",),
        "hydra.mode": ("MULTIRUN",),
        "hydra/launcher": ("joblib", "ray", "submitit_local", "nonsense"),
    }.items():
        yield from (["run", f"{key}={value}"] for value in values if not _installed(key, value))
    yield from (["run", text] for text in ("=", "=x", "seed=", "seed==1", "seed=[1", "seed={", "quikstart", "??"))
    yield from (
        ["run", f"seed={text}"] for text in ("0,1", "range(3)", "choice(1,2)", "${nothing}", "${oc.env:NOTHING}")
    )


def _installed(key: str, value: str) -> bool:
    return key == "hydra/launcher" and importlib.util.find_spec("hydra_plugins") is not None


def _of_flags() -> Iterator[Line]:
    """Flags that hydra does not have, and those without their value."""
    for flag in ("--epsilon", "--seed", "--multrun", "--outputs", "-x", "--gpu", "--resum", "-q"):
        yield ["run", flag]
        yield ["run", flag, "4"]
    for flag in ("--cfg", "-c", "--package", "--config-dir", "--config-path", "--config-name", "-cd"):
        yield ["run", flag]
    yield from (["run", "--cfg", value] for value in ("nonsense", "jobs", ""))
    yield from (
        ["run", *rest] for rest in (["--config-dir", "nowhere"], ["--config-dir=nowhere"], ["--info", "nothing"])
    )
    yield from (["run", "--cfg", "job", override] for override in ("sed=1", "privacy=nonsense", "seed=[1"))
    yield ["run", "--resolve"]
    yield ["run", "--cfg", "job", "-m", "seed=0,1"]


def _of_commands() -> Iterator[Line]:
    """Commands, their flags and names."""
    for word in ("rn", "fit", "value", "--run", "seed=1", "Run"):
        yield [word]
    yield from (
        ["list", "nonsense"],
        ["list", "--nonsense"],
        ["report", "nowhere"],
        ["report", "--outputs"],
        ["report", "--nonsense"],
        ["report", "t.csv"],
        ["data", "nonsense"],
        ["data", "fetch"],
        ["data", "fetch", "adlt"],
        ["data", "list", "--data"],
        ["data", "list", "--nonsense"],
        ["data", "verify", "--target", "y"],
        ["data", "schema"],
        ["data", "schema", "nowhere.csv"],
        ["data", "schema", "t.csv", "--out", "nodir/x"],
        ["data", "schema", "t.csv", "--out", "t.csv"],
        ["data", "schema", "t.csv", "--target", "z"],
        ["data", "schema", "empty.csv"],
        ["data", "schema", "t.csv", "--encoding", "klingon"],
        ["reproduce"],
        ["reproduce", "nonsense"],
        ["reproduce", "scaling_laws", "--scale", "huge"],
        ["reproduce", "scaling_laws", "--seeds", "0"],
        ["reproduce", "scaling_laws", "--seeds", "x"],
        ["reproduce", "scaling_laws", "--workers", "0"],
        ["reproduce", "scaling_laws", "--claims"],
        ["reproduce", "scaling_laws", "--claims", "nonsense"],
        ["reproduce", "scaling_laws", "--nonsense"],
    )
