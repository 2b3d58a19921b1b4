"""The command `assay explain`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.cli.arguments import Parser
from assay.config import listing
from assay.config.reference import Key, reference_of
from assay.config.root import GROUPS
from assay.config.suggest import did_you_mean, nearest
from assay.errors import AssayError, InputError
from assay.figures.tables import print_prose, print_table, print_terms


def main(argv: Sequence[str]) -> int:
    """Prints the reference of an option, of a key, or of an experiment."""
    parser = Parser("explain")
    parser.add_argument("what", nargs="?")
    parser.add_argument("--config-dir", type=Path)
    flags = parser.parse(argv)
    if flags.what is None:
        raise AssayError(
            "assay explain: nothing named (e.g. assay explain privacy=iid, or assay explain privacy.epsilon)"
        )
    folders = [] if flags.config_dir is None else [flags.config_dir]
    group, named, option = str(flags.what).partition("=")
    if group in ("experiment", "experiments"):
        _experiment(option)
    elif group.partition(".")[0] not in GROUPS:
        words = [*GROUPS, "experiment"]
        raise InputError("explain", flags.what, "no group of options", did_you_mean(group, words, "assay explain "))
    elif named:
        _option(group, option, folders)
    elif "." in group:
        _key(group, folders)
    else:
        print_terms([(f"{group}={name}", about) for name, about in listing.options(group)])
    return 0


def _option(group: str, option: str, folders: Sequence[Path]) -> None:
    known = [name for root in (*folders, None) for name, _ in _listed(group, root)]
    if option not in known:
        raise InputError(group, option, "unknown option", did_you_mean(option, known, f"assay explain {group}="))
    reference = reference_of(group, option, folders)
    print_prose([reference.about, ""])
    if reference.sentences.rstrip(".") != reference.about.rstrip("."):
        print_prose([reference.sentences])
    print_prose([f"{name}: {fact}" for name, fact in reference.facts.items()])
    print()
    _print_keys(group, reference.keys)


def _print_keys(group: str, keys: Sequence[Key]) -> None:
    """A line for each key and its default, then what it takes, in lines that fit the terminal."""
    for key in keys:
        print_prose([f"{group}.{key.name}={key.default}"])
        print_prose([f"    {line}" for line in (key.comment, "; ".join(filter(None, (key.kind, key.limit)))) if line])


def _key(path: str, folders: Sequence[Path]) -> None:
    """One key of every option that has it."""
    group, _, name = path.partition(".")
    rows, known = [], set()
    for option, _ in listing.options(group):
        for key in reference_of(group, option, folders).keys:
            known.add(key.name)
            if key.name == name or key.name.startswith(f"{name}."):
                here = {"option": option, "default": key.default, "takes": key.kind, "limit": key.limit or "-"}
                rows.append(({"key": key.name, **here}, key.comment))
    if not rows:
        near = nearest(name, sorted(known))
        remedy = f"did you mean {group}.{near}?" if near else f"assay explain {group}=OPTION shows the keys of one"
        raise InputError("explain", path, f"no option of {group} has this key", remedy)
    print_prose(dict.fromkeys(comment for _, comment in rows if comment))
    print_table("", [row for row, _ in rows])


def _experiment(name: str) -> None:
    """The line of an experiment, its question, and the choices and keys that it makes."""
    known = [experiment for experiment, _ in listing.experiments()]
    if name not in known:
        raise InputError("experiment", name, "unknown", did_you_mean(name, known, "assay explain experiment="))
    from assay.config.compose import compose

    choices = compose([f"experiment={name}"])
    print_prose([dict(listing.experiments())[name], ""])
    tasks = dict(listing.options("task"))
    print_prose([f"question: {tasks.get(str(choices.option['task']), '')}", ""])
    print_terms([(f"{group}={option}", _about(group, option)) for group, option in choices.option.items()])
    print()
    print_prose(
        [f"run it: assay run experiment={name}", f"all its keys: assay run experiment={name} --cfg job --resolve"]
    )


def _about(group: str, option: str) -> str:
    return dict(listing.options(group)).get(option, "")


def _listed(group: str, root: Path | None) -> list[tuple[str, str]]:
    return listing.options(group, root) if root is None or (root / group).is_dir() else []
