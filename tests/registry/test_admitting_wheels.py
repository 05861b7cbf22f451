"""Wheels of models, libraries and weights: what our build makes is admitted; what was done to it afterwards is not."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from archives import Files, files_of, record_again
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_wheels import library_wheel, model_wheel

from modelwright.errors import ModelwrightError, UnavailableError, UploadError
from modelwright.package import open_wheel
from modelwright.registry.admitting.admit import Admitted, Announced, admit
from modelwright.registry.deciding.honesty import honest

Wheels = Callable[..., Path]
Change = Callable[[Files], Files]
INFO = "churn-1.0.0.dist-info"
MANIFEST = "churn/model/manifest.json"
LINE = "churn/model/artifacts/line.json"
DEEP = b"[" * 100_000 + b"]" * 100_000


def write(files: Files, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def offer(files: Files, folder: Path, filename: str = "churn-1.0.0-py3-none-any.whl") -> Admitted:
    return admit(write(files, folder / "upload.part"), filename)


def alter(name: str, old: bytes, new: bytes) -> Change:
    def change(files: Files) -> Files:
        assert old in files[name]
        return {**files, name: files[name].replace(old, new)}

    return change


def add(name: str, content: bytes = b"") -> Change:
    return lambda files: {**files, name: content}


def remove(name: str) -> Change:
    return lambda files: {other: content for other, content in files.items() if other != name}


def test_a_model_is_told_whole(churn: Wheels) -> None:
    wheel = churn("1.0.0")
    found = admit(wheel, wheel.name)
    content = wheel.read_bytes()
    assert (found.kind, found.packagetype, found.project, found.version) == ("model", "bdist_wheel", "churn", "1.0.0")
    assert (found.sha256, found.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert found.metadata == files_of(wheel)[f"{INFO}/METADATA"]
    assert found.metadata_sha256 == hashlib.sha256(found.metadata).hexdigest()
    assert (found.tags, found.requires_python, found.requires) == (("py3-none-any",), ">=3.11", ())
    assert (found.task, found.format, found.executes_code) == ("regression", "toy", False)
    assert "Who will leave" in found.card
    assert found.top_level == ("churn",)
    assert [one.metric for one in found.evaluations] == ["accuracy", "accuracy"]
    assert found.scan is not None
    assert json.loads(json.dumps(found.scan))["where"] == wheel.name


def test_a_library_is_told_whole(teamtools: Path) -> None:
    found = admit(teamtools, teamtools.name)
    assert (found.kind, found.project, found.version, found.summary) == ("library", "teamtools", "1.0", "Helpers")
    assert (found.manifest, found.scan, found.task, found.evaluations) == (None, None, "", ())
    assert found.top_level == ("teamtools",)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.from_regex(r"[a-z][a-z0-9]{0,8}([-_.][a-z0-9]{1,5})?", fullmatch=True).map(lambda text: f"m{text}"),
    version=st.sampled_from(["1.0.0", "0.1.0rc1", "1!2.0.post3", "2026.11.21.dev4"]),
    card=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200),
)
def test_whatever_our_build_makes_is_admitted(
    tmp_path_factory: pytest.TempPathFactory, name: str, version: str, card: str
) -> None:
    normal = name.replace("_", "-").replace(".", "-")
    wheel = model_wheel(tmp_path_factory.mktemp("law"), version, name=normal, card=card)
    assert admit(wheel, wheel.name).project == normal


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_single_bit_can_flip_unseen(churn: Wheels, tmp_path: Path, data: st.DataObject) -> None:
    """Dates and reserved fields of the ZIP carry no content; everything else is refused."""
    wheel = churn("1.0.0")
    content = bytearray(wheel.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    damaged = tmp_path / "flipped.part"
    damaged.write_bytes(content)
    try:
        admit(damaged, wheel.name)
    except UploadError:
        return
    assert files_of(damaged) == files_of(wheel)


@pytest.mark.parametrize("again", [False, True], ids=["record-as-it-was", "record-agrees"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add("evil.pth", b"import os"), "evil.pth"),
        (add("churn/evil.pth", b"x"), "churn/evil.pth"),
        (add("sitecustomize.py", b"x"), "sitecustomize.py"),
        (add("evil.start", b"x"), "evil.start"),
        (add("numpy/__init__.py"), "lies outside the package"),
        (add("modelwright/__init__.py"), "lies outside the package"),
        (add(f"{INFO[:-10]}.data/scripts/churn", b"#!python"), "lies outside the package"),
        (add(f"{INFO[:-10]}.data/purelib/evil.pth", b"x"), "lies outside the package"),
        (add(f"{INFO}/direct_url.json", b"{}"), "written by installers"),
        (add(f"{INFO}/INSTALLER", b"pip"), "written by installers"),
        (add("other-1.0.dist-info/METADATA", b"x"), "folder of its own"),
        (add("churn/__pycache__/features.cpython-311.pyc", b"x"), "byte code"),
        (add("churn/model/artifacts/extra.bin", b"x"), "the manifest does not list it"),
        (add("other/model/manifest.json", b"{}"), "more than one model"),
        (alter(LINE, b"2.0", b"3.0"), "line.json.*sha256"),
        (alter("churn/features.py", b"LEVELS", b"LEVELZ"), "features.py.*sha256"),
        (remove(LINE), "captured, but is missing"),
        (alter(MANIFEST, b'"format_version":', b'"format_version!":'), "format_version"),
        (alter(MANIFEST, b'"1.0.0"', b'"1.0.1"'), "manifest.json.*version '1.0.1'"),
        (alter(MANIFEST, b'"name": "churn"', b'"name": "chum"'), "manifest.json.*name 'chum'"),
        (alter(MANIFEST, b'"format_version": 1', b'"format_version": 99'), "format version 99"),
        (alter(MANIFEST, b"{", b"["), "not JSON"),
        (alter(MANIFEST, b'"format_version"', b'"x": ' + DEEP + b', "format_version"'), "manifest.*nested"),
        (alter("churn/model/profile.json", b"{", b'{"x": ' + DEEP + b", "), "nested deeper"),
        (alter(f"{INFO}/METADATA", b"Version: 1.0.0", b"Version: 1.0.1"), "says version '1.0.1'"),
        (alter(f"{INFO}/METADATA", b"Name: churn", b"Name: chum"), "says name 'chum'"),
        (alter(f"{INFO}/METADATA", b"Metadata-Version", b"Metadata-Version: 9\nX"), "METADATA"),
        (alter(f"{INFO}/WHEEL", b"py3-none-any", b"cp310-none-any"), "says the tags"),
        (alter(f"{INFO}/WHEEL", b"py3-none-any", b"py3"), "Tag that is none"),
        (alter(f"{INFO}/WHEEL", b"py3-none-any", b"py3-none-any\0"), "Tag that is none|says the tags"),
        (alter(f"{INFO}/WHEEL", b"py3-none-any", b"-".join([b"a" + b".a" * 900] * 3)), "longer than 255"),
        (alter(f"{INFO}/WHEEL", b"Tag: py3-none-any", b"Tag: py3-none-any\n" * 1001), "more than 1000 tags"),
        (alter(f"{INFO}/WHEEL", b"Wheel-Version: 1", b"Wheel-Version: 2"), "Wheel-Version"),
        (remove(f"{INFO}/WHEEL"), "WHEEL.*is missing"),
        (remove(f"{INFO}/METADATA"), "METADATA.*is missing"),
    ],
)
def test_a_model_that_was_altered_is_refused_whatever_its_record_says(
    churn: Wheels, tmp_path: Path, change: Change, said: str, again: bool
) -> None:
    files = change(files_of(churn("1.0.0")))
    with pytest.raises(UploadError, match=f"(?s){said}"):
        offer(record_again(files) if again else files, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add("churn/extra.py", b"x = 1"), "not listed"),
        (remove("churn/model/card.md"), "not in the wheel"),
        (alter("churn/model/card.md", b"Who", b"How"), "card.md.*sha256"),
        (alter(f"{INFO}/RECORD", b"sha256=", b"md5="), "is not 'path"),
        (alter(f"{INFO}/RECORD", b"churn/__init__.py,", b"churn/../churn/__init__.py,"), "not in the wheel"),
        (remove(f"{INFO}/RECORD"), "RECORD.*missing"),
        (alter(f"{INFO}/RECORD", b"sha256=", b"sha256=!!!!"), "is not 'path"),
        (alter(f"{INFO}/RECORD", b"\n", b"\r"), "RECORD.*cannot be read"),
        (alter(f"{INFO}/RECORD", b"churn/__init__.py", b'"' + b"a" * 200_000 + b'"'), "RECORD.*cannot be read"),
    ],
)
def test_record_is_exact_both_ways(churn: Wheels, tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(UploadError, match=f"(?s){said}"):
        offer(change(files_of(churn("1.0.0"))), tmp_path)


@pytest.mark.parametrize("size", [b"+", b"1_", b" ", "\N{ARABIC-INDIC DIGIT ZERO}".encode()])
def test_a_size_in_record_is_a_number_and_nothing_else(teamtools: Path, tmp_path: Path, size: bytes) -> None:
    files = files_of(teamtools)
    files[f"{LIBRARY}/RECORD"] = re.sub(rb",(\d+)\n", rb"," + size + rb"\1\n", files[f"{LIBRARY}/RECORD"])
    with pytest.raises(UploadError, match="is not 'path"):
        offer(files, tmp_path, teamtools.name)


@pytest.mark.parametrize("name", [b"x" * 101, b"\\u0000", b"\\u001b[2J", b"a b"])
def test_a_format_is_a_name(churn: Wheels, tmp_path: Path, name: bytes) -> None:
    files = record_again(alter(MANIFEST, b'"format": "', b'"format": "' + name)(files_of(churn("1.0.0"))))
    with pytest.raises(UploadError, match=r"manifest\.json: has a format that is no name"):
        offer(files, tmp_path)


def as_if_captured(files: Files) -> Files:
    """Let manifest and RECORD agree with the files, as somebody would who makes a hostile model from the start."""
    manifest = json.loads(files[MANIFEST])
    for key, folder in (("artifacts", "churn/model/artifacts/"), ("code", "churn/")):
        for one in manifest[key]:
            content = files[folder + one["path"]]
            one |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return record_again({**files, MANIFEST: json.dumps(manifest).encode()})


NASTY = [
    b"-" * 100_000 + b"1",
    b"(" * 100_000,
    b"a" + b".a" * 100_000,
    b"a\0b",
    b"\xff\xfe",
    b"lambda:" * 50_000 + b"1",
]


@pytest.mark.parametrize("code", NASTY, ids=["minus", "brackets", "dots", "null", "latin", "lambdas"])
def test_code_that_breaks_a_parser_is_told_of_and_breaks_nothing(churn: Wheels, tmp_path: Path, code: bytes) -> None:
    found = offer(as_if_captured({**files_of(churn("1.0.0")), "churn/features.py": code}), tmp_path)
    assert found.scan is not None
    assert found.scan["worst"] == "warning"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        [
            *(f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
            *(f"churn/model/{name}" for name in ("card.md", "scenarios.jsonl", "profile.json", "pylock.toml")),
            *(MANIFEST, LINE, "churn/features.py"),
        ]
    ),
    cut=st.floats(0, 1),
    noise=st.binary(max_size=12) | st.sampled_from([b"\x80\x04\x95", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"{" * 2000]),
    keep=st.booleans(),
)
def test_whatever_is_in_a_file_the_answer_is_yes_or_no(
    churn: Wheels, tmp_path: Path, name: str, cut: float, noise: bytes, keep: bool
) -> None:
    files = files_of(churn("1.0.0"))
    at = int(cut * len(files[name]))
    files[name] = files[name][:at] + noise + (files[name][at:] if keep else b"")
    if name in (LINE, "churn/features.py"):
        files = as_if_captured(files)
    elif not name.endswith("RECORD"):
        files = record_again(files)
    try:
        found = offer(files, tmp_path)
    except UploadError:
        return
    after = open_wheel(tmp_path / "upload.part")
    assert honest(open_wheel(churn("0.9.0")), after).level in ("MAJOR", "MINOR", "PATCH")
    assert found.kind == "model"


@pytest.mark.parametrize("name", ["scenarios.jsonl", "profile.json", "pylock.toml", "card.md"])
def test_a_document_that_nobody_can_read_is_refused(churn: Wheels, tmp_path: Path, name: str) -> None:
    files = files_of(churn("1.0.0"))
    broken = {other: content for other, content in files.items() if other != f"churn/model/{name}"}
    with pytest.raises(UploadError, match=name):
        offer(record_again(broken), tmp_path)
    if name != "card.md":
        with pytest.raises(UploadError, match=name):
            offer(record_again({**files, f"churn/model/{name}": b"\xff{"}), tmp_path)


def test_everything_that_is_wrong_is_listed_at_once(churn: Wheels, tmp_path: Path) -> None:
    files = files_of(churn("1.0.0"))
    for change in (add("evil.pth"), alter(LINE, b"2.0", b"3.0"), alter(f"{INFO}/METADATA", b"Name: churn", b"Name: x")):
        files = change(files)
    with pytest.raises(UploadError) as caught:
        offer(files, tmp_path)
    assert {problem.item for problem in caught.value.problems} >= {"evil.pth", LINE, "METADATA"}
    assert str(tmp_path) not in str(caught.value)


LIBRARY = "teamtools-1.0.dist-info"
POINTS = f"{LIBRARY}/entry_points.txt"
DEEP_MARKER = b"Requires-Dist: a; " + b"(" * 5000 + b"os_name == 'x'" + b")" * 5000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add("evil.pth"), "every start"),
        (add("EVIL.PTH"), "every start"),
        (add("evil.start"), "every start"),
        (add("sitecustomize.py"), "every start"),
        (add("usercustomize/__init__.py"), "every start"),
        (add("teamtools-1.0.data/purelib/evil.pth"), "every start"),
        (add("teamtools-1.0.data/platlib/sitecustomize.py"), "every start"),
        (add("teamtools-1.0.data/data/lib/python3.11/site-packages/x.py"), "way around"),
        (add("teamtools-1.0.data/data/evil.pth"), "way around"),
        (add("teamtools-1.0.data/elsewhere/x"), "no folder that"),
        (add("other-1.0.data/scripts/x"), "no folder that"),
        (add("modelwright/evil.py"), "replace a part of modelwright"),
        (add("modelwright.py"), "replace a part of modelwright"),
        (add("ModelWright/evil.py"), "replace a part of modelwright"),
        (add("teamtools-1.0.data/purelib/modelwright/x.py"), "replace a part of modelwright"),
        (add("teamtools-1.0.data/purelib/pip-1.dist-info/METADATA"), "pose as another distribution"),
        (add("pip-1.0.egg-info/PKG-INFO"), "pose as another distribution"),
        (add("pip-1.0.dist-info/METADATA"), "folder of its own"),
        (alter(f"{LIBRARY}/METADATA", b"Name: teamtools", b"Name: other"), "says name 'other'"),
        (alter(f"{LIBRARY}/METADATA", b"Version: 1.0", b"Version: 1.1"), "says version '1.1'"),
        (alter(f"{LIBRARY}/METADATA", b"Summary: Helpers", b"Requires-Dist: not a requirement!"), "METADATA"),
        (alter(f"{LIBRARY}/WHEEL", b"py3-none-any", b"py2-none-any"), "says the tags"),
        (alter(f"{LIBRARY}/WHEEL", b"true", b"perhaps"), "Root-Is-Purelib"),
        (remove(f"{LIBRARY}/WHEEL"), "WHEEL.*is missing"),
        (remove(f"{LIBRARY}/METADATA"), "METADATA.*is missing"),
        (alter(f"{LIBRARY}/METADATA", b"2.4\n", b"2.4\nLicense-File: ../NOTICE\n"), "license-file"),
        (alter(f"{LIBRARY}/METADATA", b"2.4\n", b"2.2\nLicense-File: A\nName: other\n"), "METADATA.*name"),
        (alter(f"{LIBRARY}/METADATA", b"2.4\n", b"1.0\nProvides-Extra: x\n"), "provides-extra"),
        (add(POINTS, b"[console_scripts]\n../../evil = teamtools:run\n"), "command '../../evil'"),
        (add(POINTS, b"[gui_scripts]\n/usr/bin/ls = teamtools:run\n"), "command '/usr/bin/ls'"),
        (add(POINTS, b"[console_scripts]\nC:\\evil = teamtools:run\n"), "command 'C:"),
        (add(POINTS, b"console_scripts\n"), "entry_points.txt: cannot be read"),
        (alter(f"{LIBRARY}/METADATA", b"Helpers", b"Hel\0pers"), "Summary.*control"),
        (alter(f"{LIBRARY}/METADATA", b"Helpers", b"\x1b[2JHelpers"), "Summary.*control"),
        (alter(f"{LIBRARY}/METADATA", b"Summary: Helpers", DEEP_MARKER), "nested deeper"),
    ],
)
def test_a_library_may_not_do_what_no_library_needs(teamtools: Path, tmp_path: Path, change: Change, said: str) -> None:
    files = record_again(change(files_of(teamtools)))
    with pytest.raises(UploadError, match=f"(?s){said}"):
        offer(files, tmp_path, teamtools.name)


@pytest.mark.parametrize(
    "change",
    [
        add("teamtools-1.0.data/scripts/teamtools", b"#!python\n"),
        add("teamtools-1.0.data/data/share/man/man1/teamtools.1", b"x"),
        add("teamtools-1.0.data/platlib/teamtools/fast.so", b"x"),
        add("teamtools/weights.pth", b"x"),
        add("teamtools/py.typed"),
        add("second_module.py", b"x = 1"),
        add(f"{LIBRARY}/licenses/LICENSE", b"x"),
        add(POINTS, b"# ours\n[console_scripts]\nTeam.tools-2 = teamtools:run [extra]\n[a.b]\nx/y = teamtools\n"),
        # As setuptools before 77 and Poetry wrote them, years before the field had a version to belong to.
        alter(f"{LIBRARY}/METADATA", b"2.4\n", b"2.1\nLicense-File: LICENSE\nLicense-File: ../NOTICE\n"),
        alter(f"{LIBRARY}/METADATA", b"2.4\n", b"2.3\nLicense-Expression: MIT\n"),
        alter(f"{LIBRARY}/METADATA", b"2.4\n", b"2.5\nImport-Name: teamtools\n"),
    ],
)
def test_a_library_may_do_what_libraries_do(teamtools: Path, tmp_path: Path, change: Change) -> None:
    assert offer(record_again(change(files_of(teamtools))), tmp_path, teamtools.name).kind == "library"


@pytest.mark.parametrize("change", [add("teamtools/extra.py"), remove("teamtools/__init__.py")])
def test_the_record_of_a_library_is_exact_too(teamtools: Path, tmp_path: Path, change: Change) -> None:
    with pytest.raises(UploadError, match=r"listed|not in the wheel"):
        offer(change(files_of(teamtools)), tmp_path, teamtools.name)


def test_modelwright_itself_may_be_published(tmp_path: Path) -> None:
    wheel = library_wheel(tmp_path, name="modelwright")
    assert admit(wheel, wheel.name).kind == "library"


def weights(**changes: Any) -> Files:
    said = {
        "format_version": 1,
        "name": "churn-weights",
        "version": "1.0.0",
        "model": "churn",
        "artifacts": [{"path": "w.bin", "sha256": hashlib.sha256(b"heavy").hexdigest(), "size": 5}],
    } | changes
    info = "churn_weights-1.0.0.dist-info"
    return record_again(
        {
            "churn_weights/__init__.py": b'"""Weights."""\n',
            "churn_weights/weights.json": json.dumps(said).encode(),
            "churn_weights/artifacts/w.bin": b"heavy",
            f"{info}/METADATA": b"Metadata-Version: 2.4\nName: churn-weights\nVersion: 1.0.0\n",
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": b"",
        }
    )


WEIGHTS = "churn_weights-1.0.0-py3-none-any.whl"


def test_weights_are_a_kind_of_their_own(tmp_path: Path) -> None:
    found = offer(weights(), tmp_path, WEIGHTS)
    assert (found.kind, found.manifest, found.task, found.executes_code) == ("weights", None, "", False)
    assert found.scan is not None
    assert [one["path"] for one in found.scan["artifacts"]] == ["churn_weights/artifacts/w.bin"]


def test_weights_that_can_run_code_are_called_so(tmp_path: Path) -> None:
    pickled = pickle.dumps(os.system)
    listed = {"path": "w.bin", "sha256": hashlib.sha256(pickled).hexdigest(), "size": len(pickled)}
    files = record_again(weights(artifacts=[listed]) | {"churn_weights/artifacts/w.bin": pickled})
    found = offer(files, tmp_path, WEIGHTS)
    assert found.executes_code
    assert found.scan is not None
    assert found.scan["worst"] == "danger"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (weights(version="1.0.1"), "says version '1.0.1'"),
        (weights(model="fraud"), "says model 'fraud'"),
        (weights(format_version=2), "format version 2"),
        (weights() | {"churn_weights/artifacts/w.bin": b"other"}, "w.bin.*sha256"),
        (record_again(weights() | {"churn_weights/artifacts/w.bin": b"other"}), "w.bin.*sha256"),
        (record_again(weights() | {"churn_weights/artifacts/x.bin": b""}), "is not one of the weights"),
        (record_again(weights() | {"churn_weights/run.py": b""}), "is not one of the weights"),
        (record_again(weights() | {"churn/evil.py": b""}), "is not one of the weights"),
        (record_again(weights() | {"churn_weights/__init__.py": b"import os"}), "more than a docstring"),
        (record_again(weights() | {"evil.pth": b""}), "is not one of the weights"),
    ],
)
def test_weights_that_are_something_else_are_refused(files: Files, said: str, tmp_path: Path) -> None:
    with pytest.raises(UploadError, match=f"(?s){said}"):
        offer(files, tmp_path, WEIGHTS)


@pytest.mark.parametrize(
    "announced",
    [
        Announced(name="chum"),
        Announced(version="1.0.1"),
        Announced(version="one"),
        Announced(sha256="ab" * 32),
        Announced(sha256="x"),
    ],
)
def test_what_is_announced_has_to_be_true(churn: Wheels, announced: Announced) -> None:
    wheel = churn("1.0.0")
    with pytest.raises(UploadError, match="not the one that was announced"):
        admit(wheel, wheel.name, announced=announced)


def test_what_is_announced_may_be_spelled_otherwise(churn: Wheels) -> None:
    wheel = churn("1.0.0")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest().upper()
    assert admit(wheel, wheel.name, announced=Announced(name="Churn", version="1.0", sha256=digest)).project == "churn"


def test_an_attestation_for_another_file_is_refused(churn: Wheels) -> None:
    wheel = churn("1.0.0")
    with pytest.raises(UploadError, match="attestation"):
        admit(wheel, wheel.name, attestations=({"version": 1},))


def test_a_file_that_is_gone_is_not_called_malformed(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        admit(tmp_path / "gone.part", "churn-1.0.0-py3-none-any.whl")


@pytest.mark.parametrize(
    "filename",
    [
        "",
        "churn",
        "churn.whl",
        "churn-1.0.0.zip",
        "churn-1.0.0.tar.bz2",
        "churn-1.0.0.whl",
        "churn-1.0.0-py3-none-any.whl.exe",
        "churn-1.0.0-py3-none-any.WHL",
        "churn-1.0.0+cu12-py3-none-any.whl",
        "churn-one-py3-none-any.whl",
        "-churn-1.0.0-py3-none-any.whl",
        ".churn-1.0.0-py3-none-any.whl",
        "../churn-1.0.0-py3-none-any.whl",
        "/churn-1.0.0-py3-none-any.whl",
        "a/churn-1.0.0-py3-none-any.whl",
        "a\\churn-1.0.0-py3-none-any.whl",
        "%2e%2e%2fchurn-1.0.0-py3-none-any.whl",
        "churn%2F-1.0.0-py3-none-any.whl",
        "churn-1.0.0-py3-none-any.whl\n",
        "churn\0-1.0.0-py3-none-any.whl",
        "churn -1.0.0-py3-none-any.whl",
        "chürn-1.0.0-py3-none-any.whl",
        "churn-1.0.0-py3-none-any.whl?x=1",
        "https://evil.example.org/churn-1.0.0-py3-none-any.whl",
        f"churn-1.0.0-{'py3.' * 60}py3-none-any.whl",
        f"{'c' * 101}-1.0.0-py3-none-any.whl",
        f"churn-{'1' * 61}-py3-none-any.whl",
        "credit-risk-1.0.0.tar.gz",
        "Churn-1.0.0.tar.gz",
        "churn.model-1.0.0.tar.gz",
        "churn-1.0.0-1.tar.gz",
        "churn-1.0.0+x.tar.gz",
    ],
)
def test_only_names_of_wheels_and_sdists_are_taken(filename: str, tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="not the name of a wheel or an sdist"):
        admit(tmp_path / "never opened", filename)


@given(st.text(max_size=300))
def test_no_name_crashes(filename: str) -> None:
    with pytest.raises(ModelwrightError):
        admit(Path("/nonexistent/upload.part"), filename)


DIGITS = b"1" * 5000
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000


@pytest.mark.parametrize(
    "change",
    [
        alter(f"{INFO}/METADATA", b"Version: 1.0.0", b"Version: " + DIGITS),
        alter(f"{INFO}/METADATA", b"Version: 1.0.0", b"Version: 1.0.0\nRequires-Dist: a; " + b"(" * 20_000),
        alter(f"{INFO}/METADATA", b"Description-Content-Type: ", b"Description-Content-Type: " + b"a;" * 20_000),
        add("churn/model/manifest.json", DEEP),
        add("churn/model/profile.json", DEEP),
        add("churn/model/scenarios.jsonl", DEEP),
        add("churn/model/pylock.toml", b"a = " + b"[" * 20_000),
        add("churn/model/pylock.toml", b"a = " + DIGITS),
    ],
)
def test_what_brings_a_parser_to_its_end_is_refused(churn: Wheels, tmp_path: Path, change: Change) -> None:
    with pytest.raises(UploadError):
        offer(record_again(change(files_of(churn("1.0.0")))), tmp_path)
