"""What every store does, whatever it is made of: one suite for folders and object stores."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import LocalStore, MemoryStore
from registry_wheels import library_wheel

from modelwright.errors import DamageError, RequestError, SettingsError, UnavailableError, UnknownReleaseError
from modelwright.registry.settings import Settings
from modelwright.registry.storing.folder import FolderStore
from modelwright.registry.storing.objects import PART, ObjectsStore
from modelwright.registry.storing.opening import open_store
from modelwright.registry.storing.store import PIECE, Key, Store, key_at

KINDS = ("folder", "s3", "objects in a folder", "objects in memory")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_store(Settings(), tmp_path / "registry")
    if request.param == "s3":
        return open_store(Settings(files=request.getfixturevalue("bucket").url), tmp_path)
    if request.param == "objects in a folder":
        return ObjectsStore(LocalStore(tmp_path / "objects", mkdir=True), where="local")
    return ObjectsStore(MemoryStore(), where="memory")


@pytest.fixture
def given_file(tmp_path: Path) -> Callable[..., tuple[Key, Path]]:
    """Write a file to be kept, and say under which key."""

    def write(content: bytes, name: str = "churn-1!2.0+x-py3-none-any.whl") -> tuple[Key, Path]:
        folder = tmp_path / "given"
        folder.mkdir(exist_ok=True)
        source = folder / f"{len(list(folder.iterdir()))}.part"
        source.write_bytes(content)
        return Key(hashlib.sha256(content).hexdigest(), name), source

    return write


def test_what_is_kept_is_read_back(store, given_file):
    key, source = given_file(b"the bytes of a wheel")
    store.keep(key, source)
    assert store.size(key) == 20
    with store.open(key) as stream:
        assert stream.read(3) == b"the"
        assert stream.seek(-5, os.SEEK_END) == 15
        assert stream.read() == b"wheel"
    assert b"".join(store.chunks(key)) == b"the bytes of a wheel"
    path = store.path(key)
    assert path is None or path.read_bytes() == b"the bytes of a wheel"


def test_an_empty_file_is_a_file(store, given_file):
    key, source = given_file(b"")
    store.keep(key, source)
    assert store.size(key) == 0
    assert list(store.chunks(key)) == []
    with store.open(key) as stream:
        assert stream.read() == b""


def test_keeping_the_same_again_is_no_error(store, given_file):
    for _ in range(2):
        key, source = given_file(b"same")
        store.keep(key, source)
    assert list(store.keys()) == [key]


def test_what_is_there_is_never_replaced_by_a_file(store, given_file):
    key, source = given_file(b"first")
    store.keep(key, source)
    _, other = given_file(b"something longer")
    with pytest.raises(DamageError, match="not what was published"):
        store.keep(key, other)
    assert b"".join(store.chunks(key)) == b"first"


def test_a_document_beside_a_file_is_replaced(store):
    key = Key("ab" * 32, "churn-1.0-py3-none-any.whl.metadata")
    for content in (b"Name: churn\n", b"Name: Churn\n"):
        store.put(key, content)
        assert b"".join(store.chunks(key)) == content


def test_what_is_not_there_is_said_to_be_unknown_at_once(store):
    key = Key("ab" * 32, "churn-1.0-py3-none-any.whl")
    assert store.size(key) is None
    assert store.path(key) is None
    with pytest.raises(UnknownReleaseError, match=r"no file churn-1\.0"):
        store.open(key)
    with pytest.raises(UnknownReleaseError, match=r"no file churn-1\.0"):
        store.chunks(key)  # not when the first piece is asked for: an answer would have begun
    store.remove(key)


def test_removing_removes_one_file(store, given_file):
    key, source = given_file(b"bytes")
    store.keep(key, source)
    metadata = Key(key.sha256, f"{key.name}.metadata")
    store.put(metadata, b"Name: churn\n")
    store.remove(key)
    assert store.size(key) is None
    assert list(store.keys()) == [metadata]


def test_everything_is_listed_and_nothing_else(store, tmp_path):
    assert list(store.keys()) == []
    wanted = {Key(f"{number:064x}", f"w-{number}-py3-none-any.whl") for number in range(30)}
    for key in wanted:
        store.put(key, b"x")
    strangers = ("files/README", "files/ab/x.whl", f"files/ab/{'cd' * 32}/x.whl", f"files/ab/{'ab' * 32}/x/y.whl")
    for stranger in (*strangers, f"files/ab/{'ab' * 32}/.hidden", f"elsewhere/ab/{'ab' * 32}/x.whl"):
        if isinstance(store, FolderStore):
            (tmp_path / "registry" / stranger).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "registry" / stranger).write_bytes(b"x")
        else:
            obstore.put(store._store, stranger, b"x")
    assert sorted(store.keys()) == sorted(wanted)


VERBS: dict[str, Callable[[Store, Key, Path], Any]] = {
    "keep": lambda store, key, source: store.keep(key, source),
    "put": lambda store, key, _: store.put(key, b"x"),
    "open": lambda store, key, _: store.open(key),
    "size": lambda store, key, _: store.size(key),
    "path": lambda store, key, _: store.path(key),
    "chunks": lambda store, key, _: store.chunks(key),
    "remove": lambda store, key, _: store.remove(key),
}
HOSTILE = [
    *(
        Key("ab" * 32, name)
        for name in (
            "",
            ".",
            "..",
            ".hidden",
            "../x",
            "a/b",
            "a\\b",
            "a\0b",
            "a b",
            "a\n",
            "-x",
            "é",
            "a%2e",
            "x" * 256,
        )
    ),
    *(Key(digest, "x.whl") for digest in ("", "ab" * 31, "AB" * 32, "ab" * 33, "../" + "a" * 61, "ab" * 32 + "\n")),
]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("key", HOSTILE, ids=lambda key: repr(key.name if key.name != "x.whl" else key.sha256)[:12])
def test_a_key_that_is_none_reaches_no_file(verb, key, tmp_path):
    (tmp_path / "source").write_bytes(b"x")
    for store in (FolderStore(tmp_path / "registry"), ObjectsStore(MemoryStore(), where="memory")):
        with pytest.raises(RequestError):
            VERBS[verb](store, key, tmp_path / "source")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


@given(st.text(alphabet="ab./-\0é", max_size=12))
def test_no_path_leads_to_a_key_but_its_own(text):
    for path in (text, f"files/ab/{'ab' * 32}/{text}"):
        key = key_at(path)
        assert key is None or (key.path == path and ".." not in path.split("/"))


def test_many_may_keep_the_same_file_at_once(store, given_file):
    given = [given_file(b"x" * 100_000) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: store.keep(*one), given))
    assert list(map(store.size, store.keys())) == [100_000]


CONTENT = bytes(range(251)) * ((PART + PIECE) // 251 + 1)


@pytest.fixture
def large(store, given_file) -> tuple[Store, Key]:
    """A store with a file that takes several pieces and parts."""
    key, source = given_file(CONTENT)
    store.keep(key, source)
    return store, key


def test_a_large_file_comes_in_pieces(large):
    store, key = large
    pieces = list(store.chunks(key))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) == PIECE


EDGES = st.sampled_from([0, 1, PIECE - 1, PIECE, PART - 1, PART, PART + 1, len(CONTENT) - 1, len(CONTENT)])
POSITIONS = st.one_of(EDGES, st.integers(0, len(CONTENT) + 10))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=POSITIONS, stop=st.one_of(st.none(), POSITIONS))
def test_a_part_of_a_file_is_that_slice(large, start, stop):
    store, key = large
    assert b"".join(store.chunks(key, start=start, stop=stop)) == CONTENT[start:stop]


def test_a_wheel_is_looked_at_where_it_lies(store, tmp_path):
    wheel = library_wheel(tmp_path)
    content = wheel.read_bytes()
    key = Key(hashlib.sha256(content).hexdigest(), wheel.name)
    store.keep(key, wheel)
    with store.open(key) as stream, zipfile.ZipFile(stream) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == zipfile.ZipFile(io.BytesIO(content)).namelist()


STREAMING = r"""
import hashlib, re, sys
from pathlib import Path
from modelwright.registry.settings import Settings
from modelwright.registry.storing.opening import open_store
from modelwright.registry.storing.store import Key

def peak():
    # Not ru_maxrss, in which the process that started this one counts, too.
    return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

store = open_store(Settings(files=sys.argv[1]), Path(sys.argv[2]))
store.put(Key("00" * 32, "warm"), b"x" * 100_000)
before, source, key = peak(), Path(sys.argv[3]), Key(sys.argv[4], "big-1.0-py3-none-any.whl")
store.keep(key, source)
digest = hashlib.sha256()
for piece in store.chunks(key):
    digest.update(piece)
assert digest.hexdigest() == key.sha256 and not source.exists()
print(peak() - before)
"""


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_200_megabytes_pass_in_constant_memory(kind, tmp_path, request):
    source, digest = Path("/dev/shm") / f"{tmp_path.name}.part", hashlib.sha256()  # another file system: copied
    try:
        with source.open("wb") as stream:
            for number in range(200):
                piece = number.to_bytes(4) * (10**6 // 4)
                digest.update(piece)
                stream.write(piece)
        files = request.getfixturevalue("bucket").url if kind == "s3" else ""
        done = subprocess.run(
            [sys.executable, "-c", STREAMING, files, tmp_path, source, digest.hexdigest()],
            capture_output=True,
            text=True,
        )
    finally:
        source.unlink(missing_ok=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 64 * 2**20


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://KEY:SECRET@bucket/prefix",
        "s3://bucket/../other",
        "s3://bucket/prefix?endpoint=http://127.0.0.1",
        "s3://bucket/prefix#part",
        "http://bucket.example/prefix",
        "file:///srv/models",
        "ftp://bucket/prefix",
    ],
)
def test_a_url_that_is_no_object_store_is_refused_without_its_secret(url, tmp_path):
    with pytest.raises(SettingsError) as caught:
        open_store(Settings(files=url), tmp_path)
    assert "SECRET" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_bucket_that_is_not_there_is_said_to_be(bucket, tmp_path, given_file):
    store = open_store(Settings(files="s3://no-such-bucket/registry"), tmp_path)
    with pytest.raises(UnavailableError, match="NoSuchBucket"):
        store.keep(*given_file(b"x"))


def test_an_object_store_that_does_not_answer_is_said_to(monkeypatch, tmp_path, given_file, bucket):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = open_store(Settings(files=bucket.url), tmp_path)
    with pytest.raises(UnavailableError) as caught:
        store.size(given_file(b"x")[0])
    assert caught.value.where == bucket.url
    assert len(caught.value.why) < 500
    assert "Debug" not in caught.value.why
