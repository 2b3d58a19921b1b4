"""No module imports another that imports it, inside rooms too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import grimp


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Sets of modules that reach each other by imports, each sorted (strongly connected components)."""

    def reached(start: str, edges: Mapping[str, set[str]]) -> set[str]:
        seen, pending = {start}, [start]
        while pending:
            for name in edges.get(pending.pop(), set()) - seen:
                seen.add(name)
                pending.append(name)
        return seen

    backwards: dict[str, set[str]] = {}
    for name, others in imports.items():
        for other in others:
            backwards.setdefault(other, set()).add(name)

    def components() -> Iterator[list[str]]:
        pending = set(imports)
        while pending:
            name = min(pending)
            component = reached(name, imports) & reached(name, backwards)
            pending -= component
            yield sorted(component)

    return [component for component in components() if len(component) > 1]


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_circle_of_imports() -> None:
    graph = grimp.build_graph("assay", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert circles(imports) == []
