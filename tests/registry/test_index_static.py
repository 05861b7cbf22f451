"""The static index: real pip and uv install from it, over HTTP and from a folder, and it is never half written."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest
from small_indexes import Traffic, Wheel, command, installers, put, serving, write_index
from uv import find_uv_bin

from modelwright.errors import UnavailableError
from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.index.static import StaticIndex

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with a stage ``production`` that ran 1.3.0 and 1.4.0 before it runs 1.2.0; the future needs Python 4."""
    folder = tmp_path_factory.mktemp("static")
    wheels = [
        Wheel("churn", "1.2.0", requires=("helper",), ballast=300_000),
        Wheel("churn", "1.3.0", yanked="superseded in production by 1.2.0"),
        Wheel("churn", "9.0", requires_python=">=4"),
        Wheel("helper", "1.0"),
    ]
    write_index(folder, wheels, view="production")
    write_index(folder, wheels)
    return folder


@pytest.fixture(scope="module")
def web(root: Path):
    with serving(root) as traffic:
        yield traffic


@pytest.fixture(params=["http", "file"])
def index(request: pytest.FixtureRequest, root: Path, web: Traffic) -> str:
    """The stage ``production``, over HTTP and as a folder."""
    return f"{web.url if request.param == 'http' else root.as_uri() + '/'}production/simple/"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installers(tmp_path_factory.mktemp("installers"))


def pip(environment: dict[str, str], index: str, into: Path, *wanted: str) -> tuple[int, str]:
    words = ("install", "--isolated", "--no-compile", "--no-cache-dir", "--target", into, "--index-url", index)
    return command(environment, sys.executable, "-m", "pip", *words, *wanted)


def uv(environment: dict[str, str], index: str, into: Path, *wanted: str) -> tuple[int, str]:
    words = ("pip", "install", "--no-config", "--python", sys.executable, "--target", into, "--default-index", index)
    return command(environment, find_uv_bin(), *words, *wanted)


INSTALLERS = pytest.mark.parametrize("install", [pip, uv])


def installed(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.dist-info")}


@INSTALLERS
def test_installer_takes_the_current_release_and_what_it_requires(install, environment, index, tmp_path) -> None:
    code, said = install(environment, index, tmp_path / "target", "churn")
    assert code == 0, said
    assert installed(tmp_path / "target") == {"churn-1.2.0.dist-info", "helper-1.0.dist-info"}


@INSTALLERS
def test_exact_pin_of_a_superseded_release_still_installs(install, environment, index, tmp_path) -> None:
    code, said = install(environment, index, tmp_path / "target", "churn==1.3.0")
    assert code == 0, said
    assert installed(tmp_path / "target") == {"churn-1.3.0.dist-info"}
    assert "superseded in production by 1.2.0" in said


@INSTALLERS
def test_release_for_another_python_is_refused_from_the_page_alone(install, environment, web, tmp_path) -> None:
    before = len(web.asked)
    code, said = install(environment, f"{web.url}production/simple/", tmp_path / "target", "churn==9.0")
    assert code == 1
    assert "4" in said
    assert [path for path in web.asked[before:] if path.endswith(".whl")] == []


def test_resolving_moves_pages_and_metadata_but_no_wheel(environment, web, tmp_path) -> None:
    requirements = tmp_path / "requirements.in"
    requirements.write_text("churn\n")
    before, moved = len(web.asked), web.moved
    words = ("pip", "compile", "--no-config", "--no-header", "--python", sys.executable, requirements)
    code, said = command(environment, find_uv_bin(), *words, "--default-index", f"{web.url}production/simple/")
    assert code == 0, said
    assert "churn==1.2.0" in said
    pip_words = (*("install", "--isolated", "--no-cache-dir", "--dry-run", "--ignore-installed", "--index-url"),)
    dry = command(environment, sys.executable, "-m", "pip", *pip_words, f"{web.url}production/simple/", "churn")
    assert dry[0] == 0, dry[1]
    assert "Would install churn-1.2.0 helper-1.0" in dry[1]
    assert [path for path in web.asked[before:] if path.endswith(".whl")] == []
    assert web.asked[before:].count(
        next(path for path in web.asked if path.endswith("1.2.0-py3-none-any.whl.metadata"))
    )
    assert web.moved - moved < 10_000


UV_SETTINGS = """[[index]]
name = "models"
url = "{}production/simple/"
default = true
cache-control = {{ api = "no-cache" }}
"""


def test_uv_sees_a_rollback_at_once_where_it_is_told_to_ask_again(environment, tmp_path) -> None:
    """By itself it keeps an old page for a tenth of its age (RFC 9111, section 4.2.2), as the how-to says."""
    static, settings = tmp_path / "static", tmp_path / "uv.toml"
    words = ("pip", "install", "--config-file", settings, "--python", sys.executable, "--target")

    def place(current: str, *superseded: str) -> None:
        wheels = [Wheel("churn", current), *(Wheel("churn", version, yanked="not now") for version in superseded)]
        write_index(static, wheels, view="production")

    place("1.3.0", "1.2.0")
    month_ago = time.time() - 30 * 86400
    for page in static.rglob("index.*"):
        os.utime(page, (month_ago, month_ago))
    with serving(static) as web:
        settings.write_text(UV_SETTINGS.format(web.url))
        assert command(environment, find_uv_bin(), *words, tmp_path / "before", "churn")[0] == 0
        place("1.2.0", "1.3.0")
        assert command(environment, find_uv_bin(), *words, tmp_path / "after", "churn")[0] == 0
    assert installed(tmp_path / "before") == {"churn-1.3.0.dist-info"}
    assert installed(tmp_path / "after") == {"churn-1.2.0.dist-info"}


def test_tampered_file_is_refused_by_pip_and_uv(environment, tmp_path) -> None:
    page = write_index(tmp_path / "index", [Wheel("churn", "1.0")])["churn"]
    wheel = tmp_path / "index" / page.files[0].path
    put(tmp_path / "other", Wheel("churn", "1.0", whose="stranger's"))
    wheel.write_bytes(next((tmp_path / "other").rglob("*.whl")).read_bytes())
    for install in (pip, uv):
        code, said = install(environment, (tmp_path / "index/simple").as_uri() + "/", tmp_path / "target", "churn")
        assert code != 0
        assert "hash" in said.lower()
    assert not (tmp_path / "target" / "churn.py").exists()


def page_of(version: str, *, name: str = "churn") -> ProjectPage:
    return ProjectPage(name=name, files=(), versions=(version,), serial=1)


def text_of(root: Path, view: str = "", name: str = "churn") -> str:
    return (root / view / "simple" / name / "index.v1_json").read_text()


def test_pages_lie_where_web_servers_look_and_html_and_json_lie_side_by_side(tmp_path) -> None:
    with StaticIndex(tmp_path).locked() as index:
        index.write_project("", "churn", page_of("1.0"))
        index.write_project("production", "churn", page_of("1.0"))
        index.write_root("", ["churn"])
        index.write_root("production", ["churn"])
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("index.*") if ".registry" not in path.parts}
    folders = ["simple", "simple/churn", "production/simple", "production/simple/churn"]
    assert found == {f"{folder}/{name}" for folder in folders for name in ("index.html", "index.v1_json")}


def test_page_that_would_not_change_is_not_written(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    index.write_project("", "churn", page_of("1.0"))
    before = (tmp_path / "simple/churn/index.v1_json").stat()
    index.write_project("", "churn", page_of("1.0"))
    after = (tmp_path / "simple/churn/index.v1_json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    index.write_project("", "churn", page_of("1.1"))
    assert "1.1" in text_of(tmp_path)


def test_page_of_a_project_that_left_a_view_goes(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    for name in ("churn", "fraud"):
        index.write_project("production", name, page_of("1.0", name=name))
    index.write_root("production", ["churn", "fraud"])
    index.write_project("production", "fraud", None)
    assert not (tmp_path / "production/simple/fraud").exists()
    index.write_root("production", [])
    assert not (tmp_path / "production/simple/churn").exists()
    assert (tmp_path / "production/simple/index.html").is_file()


def test_writer_removes_only_what_it_wrote(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    precious = tmp_path / "simple" / "notes" / "mine.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "index.html").write_text("not ours")
    (tmp_path / "simple" / "link").symlink_to(tmp_path / "elsewhere")
    index.write_root("", [])
    assert precious.read_text() == "mine"
    assert (tmp_path / "elsewhere" / "index.html").read_text() == "not ours"


def test_stage_that_is_no_more_is_removed_and_strange_folders_stay(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    for view in ("", "dev", "old"):
        index.write_project(view, "churn", page_of("1.0"))
        index.write_root(view, ["churn"])
    strange = tmp_path / "other" / "simple" / "index.html"
    strange.parent.mkdir(parents=True)
    strange.write_text("not ours")
    index.keep_views(["", "dev"])
    assert not (tmp_path / "old").exists()
    assert text_of(tmp_path, "dev")
    assert text_of(tmp_path)
    assert strange.read_text() == "not ours"


def test_project_called_simple_is_not_taken_for_a_stage(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    index.write_project("", "simple", page_of("1.0", name="simple"))
    index.write_root("", ["simple"])
    index.keep_views([""])
    assert text_of(tmp_path, name="simple")


def test_reader_sees_a_whole_page_at_every_moment(tmp_path) -> None:
    """A page is opened again and again while it is written: it always says one version in both forms, whole."""
    import threading

    index = StaticIndex(tmp_path)
    index.write_project("", "churn", page_of("0"))
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            index.write_project("", "churn", page_of(str(number) * 1000))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen, reads = set[str](), 0
        while reads < 2000 or (len(seen) < 5 and reads < 500_000):  # a busy machine lets the writer wait
            seen.add(text_of(tmp_path)[-40:])
            reads += 1
    finally:
        stop.set()
        writer.join()
    assert len(seen) > 1
    assert all(text.endswith('"files":[]}') for text in seen)


def _add_one(root: str, times: int) -> None:
    counter = Path(root) / "counter"
    for _ in range(times):
        with StaticIndex(Path(root)).locked():
            number = int(counter.read_text()) + 1
            counter.write_text(str(number))


def test_two_processes_do_not_interleave(tmp_path) -> None:
    (tmp_path / "counter").write_text("0")
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    workers = [context.Process(target=_add_one, args=(str(tmp_path), 100)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (tmp_path / "counter").read_text() == "400"


def test_lock_lies_in_the_private_folder(tmp_path) -> None:
    with StaticIndex(tmp_path).locked():
        assert (tmp_path / ".registry" / "index.lock").is_file()
        assert (tmp_path / ".registry").stat().st_mode & 0o777 == 0o700


def test_folder_that_cannot_be_written_is_an_error_and_the_old_page_stays(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    index.write_project("", "churn", page_of("1.0"))
    # A file where a folder must be: refused whoever runs the tests, root too.
    (tmp_path / "dev").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be written") as refused:
        index.write_project("dev", "churn", page_of("1.0"))
    assert str(tmp_path / "dev") in refused.value.where
    assert "1.0" in text_of(tmp_path)


def test_leftover_of_a_dead_process_goes_with_the_next_page(tmp_path) -> None:
    index = StaticIndex(tmp_path)
    index.write_project("", "churn", page_of("1.0"))
    leftover = tmp_path / "simple" / "churn" / ".index.html.0123456789abcdef.modelwright-partial"
    leftover.write_bytes(b"half")
    index.write_project("", "churn", page_of("1.1"))
    assert {path.name for path in leftover.parent.iterdir()} == {"index.html", "index.v1_json"}
