"""Labelled network flows as Zeek writes them."""

from __future__ import annotations

import re
from typing import Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.provenance import Provenance
from assay.data.sources.archives import Members
from assay.errors import AssayError

PORTS = ("id.orig_p", "id.resp_p", "duration", "orig_bytes", "resp_bytes", "missed_bytes")
COUNTS = ("orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes")
CATEGORICAL = ("proto", "service", "conn_state", "history")


def iot23(members: Members, provenance: Provenance) -> Dataset:
    """Flows of every *.log.labeled file, benign or malicious; the capture is the source of a row.

    Addresses, times and identifiers are left out, since they give the capture away. A number that Zeek could not
    measure ("-") is 0.
    """
    import numpy as np

    flows: list[dict[str, str]] = []
    sources: list[int] = []
    captures: list[str] = []
    for name, content in members.matching("*.labeled"):
        rows = read_zeek(content.decode("utf-8"))
        sources += [len(captures)] * len(rows)
        captures.append(name.removesuffix(".log.labeled"))
        flows += rows
    if not flows:
        raise AssayError("dataset=iot23: no flow in any *.log.labeled file (give the folder with dataset.path)")
    features: dict[str, Any] = {
        name: np.array([0.0 if flow[name] == "-" else float(flow[name]) for flow in flows])
        for name in (*PORTS, *COUNTS)
    }
    features |= {name: [flow[name] for flow in flows] for name in CATEGORICAL}
    return build_dataset(
        features,
        np.array([int(flow["label"].lower() == "malicious") for flow in flows]),
        kind="classification",
        classes=("benign", "malicious"),
        types=dict.fromkeys(CATEGORICAL, "categorical"),
        source=np.array(sources),
        source_names=captures,
        provenance=provenance,
    )


def read_zeek(text: str) -> list[dict[str, str]]:
    """Rows of a labelled connection log, by field name.

    The last three fields (tunnel_parents, label, detailed-label) are separated by spaces and all others by tabs, in the
    header as in the rows, so both are split at either.
    """
    fields: list[str] = []
    rows = []
    for line in text.splitlines():
        if line.startswith("#fields"):
            fields = re.split(r"\t| {2,}", line)[1:]
        elif line and not line.startswith("#"):
            cells = re.split(r"\t| {2,}", line.strip())
            rows.append(dict(zip(fields, cells, strict=True)))
    return rows
