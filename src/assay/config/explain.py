"""Turns what hydra and omegaconf raise into one line: key, value, limit, remedy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from assay.config.listing import groups, options
from assay.config.overrides import TEXTS, spelt
from assay.config.root import GROUPS, Root
from assay.config.suggest import did_you_mean, listed, nearest
from assay.errors import AssayError, InputError


@contextmanager
def explained(overrides: Sequence[str]) -> Iterator[None]:
    """Raises an AssayError in place of hydra's and omegaconf's errors; `overrides` are those being composed."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except AssayError:
        raise
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        raise explain(error, overrides) from error


def explain(error: Exception, overrides: Sequence[str]) -> AssayError:
    """The one line for an error that composing `overrides` ended in."""
    from hydra.errors import MissingConfigException, OverrideParseException
    from omegaconf.errors import InterpolationKeyError, MissingMandatoryValue

    text = str(error)
    for override in overrides:
        if override.startswith("="):
            return AssayError(f"{override}: no override (write group=option or key=value)")
    if isinstance(error, OverrideParseException):
        return _unreadable(error.override)
    if isinstance(error, MissingConfigException):
        return _missing_option(error.missing_cfg_file or "", text)
    if match := re.search(r"Ambiguous value for argument '([^=']+)=(.*?)'\n", text):
        key, value = spelt(match[1]), match[2]
        remedy = "add -m for a run of each"
        if key in TEXTS:
            quoted = f"{key}='{value}'"
            remedy += f", or put one with a comma in quotes: {shlex.quote(quoted)}"
        elif "." in key:
            remedy += f", or make it a list where the key takes one: {key}=[{value}]"
        return InputError(key, value, "several values", remedy)
    if match := re.search(r"Could not (?:override|delete|append to config\.?).*?'([^'=\n]+)'?", text):
        return _unknown_key(match[1].lstrip("+~"), overrides)
    if isinstance(error, TypeError) or "group override must be" in text:
        for key, _, value in (override.partition("=") for override in overrides):
            if key.lstrip("+") in (*GROUPS, "experiment") and (value.startswith("[") or value == "null"):
                known = listed(name for name, _ in options(key.lstrip("+")))
                return InputError(key, value, "names no option", f"one of {known}")
    if isinstance(error, OSError):  # hydra could not make its folder
        return AssayError(f"{error.filename}: {error.strerror} (write elsewhere: paths.outputs=FOLDER)")
    if isinstance(error, InterpolationKeyError | MissingMandatoryValue):
        return AssayError(f"{getattr(error, 'full_key', '') or 'config'}: {_first_line(text)} (give it a value)")
    return AssayError(f"{_first_line(text)} (assay list shows groups and options)")


def _unreadable(override: str) -> AssayError:
    key, equals, value = override.partition("=")
    if equals:
        key = spelt(key)
        if key == "dataset.types":
            return InputError(key, value, "cannot be read as a mapping", "write dataset.types.COLUMN=TYPE for each")
        if value.startswith("[") and value.endswith("]"):
            remedy = f'put quotes around its entries: \'{key}=["a b","c"]\''
            return InputError(key, value, "cannot be read as a list", remedy)
        return InputError(key, value, "cannot be read as a value", f"put quotes around it: '{key}=\"{value}\"'")
    choices = {f"{group}={name}": name for group in ("experiment", *GROUPS) for name, _ in options(group)}
    near = nearest(override, choices.values())
    meant = [choice for choice, name in choices.items() if name == near]
    remedy = f"did you mean {meant[0]}?" if meant else "write group=option or key=value"
    return AssayError(f"{override}: no override ({remedy})")


def _missing_option(missing: str, text: str) -> AssayError:
    group, _, choice = missing.removesuffix(".yaml").lstrip("/").rpartition("/")
    while group and group not in (*GROUPS, "experiment") and "/" in group and not group.startswith("hydra"):
        group, _, head = group.rpartition("/")
        choice = f"{head}/{choice}"
    if group.startswith("hydra"):
        plugin = f"pip install 'assay[{_EXTRAS[choice]}]'" if choice in _EXTRAS else "is its plugin installed?"
        return InputError(group, choice, "unknown option", plugin)
    listed = re.findall(r"^\t(\S+)$", text, flags=re.MULTILINE)
    known = sorted({*listed, *(name for name, _ in options(group))} - {"_base"}) if group else listed
    remedy = did_you_mean(choice, known) if nearest(choice, known) or known else "assay list shows the options"
    remedy = remedy.replace("did you mean ", f"did you mean {group}=")
    return InputError(group or "config", choice, "unknown option", remedy)


_EXTRAS = {"joblib": "joblib", "ray": "ray", "submitit_local": "slurm", "submitit_slurm": "slurm"}


def _unknown_key(key: str, overrides: Sequence[str]) -> AssayError:
    """A key outside the groups that no run has, or an option of a group that is not chosen by a name."""
    given = next((text for text in overrides if text.lstrip("+~").partition("=")[0] == key), key)
    value = given.partition("=")[2]
    group, _, rest = key.partition(".")
    if group in GROUPS:
        remedy = did_you_mean(value, [name for name, _ in options(group)], f"{group}=")
        return InputError(key, value, "unknown option", remedy)
    known = [*groups(), "experiment", *Root.__dataclass_fields__]
    near = nearest(group, known)
    tail = f".{rest}" if rest else ""
    return InputError(key, value, "unknown key", f"did you mean {near}{tail}?" if near else f"one of {listed(known)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else "the config cannot be composed"
