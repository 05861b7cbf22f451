"""setup.py and setup.cfg are read as data: what they declare is found, what only running could tell is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from legacy_projects import LEGACY, declared_in, written

from modelwright.errors import AdoptError
from modelwright.project.adopting.static_code import parse, read_names, read_setup
from modelwright.project.adopting.static_values import Unread, World
from modelwright.project.adopting.tree import Tree, open_tree

EMPTY = Tree(Path("/nowhere"), (), None)


def keywords(folder: Path, setup: str, **files: str) -> dict[str, object]:
    named = {name.replace("__", "/"): text for name, text in files.items()}
    written(folder, {"setup.py": setup, **named})
    source = (folder / "setup.py").read_text()
    return read_setup(World(open_tree(folder), "setup.py"), parse(source, where="setup.py"))


def test_reads_every_idiom_of_a_grown_setup_py():
    declared = declared_in(LEGACY / "idioms")
    assert declared.unread == []
    assert declared.table == {
        "name": "churn",
        "version": "1.2.0",
        "description": "Who will leave",
        "readme": {"file": "README.md", "content-type": "text/markdown"},
        "requires-python": ">=3.8",
        "keywords": ["churn", "telecom"],
        "license": "MIT",
        "classifiers": ["Programming Language :: Python :: 3"],
        "authors": [{"name": "Ann Autor", "email": "ann@example.com"}],
        "urls": {"Homepage": "https://example.com/churn", "Tracker": "https://example.com/churn/issues"},
        "dependencies": declared.table["dependencies"],
        "optional-dependencies": {
            "plots": ["matplotlib>=3.0"],
            "dev": ["pytest"],
            "all": ["matplotlib>=3.0", "pytest"],
        },
        "scripts": {"churn-report": "churn.report:main"},
    }
    assert declared.table["dependencies"][:2] == ["ipykernel==6.29.5", "joblib==1.4.2"]
    assert len(declared.table["dependencies"]) == 10
    assert declared.scripts == ["scripts/train.py", "scripts/score.py", "scripts/deploy.sh"]
    assert (declared.packages, declared.sources) == (["churn"], {"": "src"})


def test_reads_declarative_metadata():
    declared = declared_in(LEGACY / "declarative")
    assert declared.style == "setup.cfg"
    assert declared.table["version"] == "0.4.1"
    assert declared.table["license"] == "Apache-2.0"
    assert declared.table["dependencies"] == ["numpy>=1.24", 'importlib-metadata; python_version < "3.8"']
    assert declared.table["scripts"] == {"credit-score": "credit.cli:main"}
    assert declared.packages == ["credit"]
    assert "setup.cfg: [metadata] and [options…]" in declared.removable  # [flake8] stays


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("V = '1.' + str(2)", "1.2"),
        ("V = '%s.%d' % ('1', 2)", "1.2"),
        ("V = '{}.{}'.format(1, 2)", "1.2"),
        ("parts = (1, 2)\nV = '.'.join(map(str, parts))", "1.2"),
        ("parts = [1, 2]\nV = '.'.join(str(each) for each in parts)", "1.2"),
        ("V = ''\nfor part in ['1', '.', '2']:\n    V += part", "1.2"),
        ("V = f'{1}.{2}'", "1.2"),
        ("V = open('VERSION').read().strip()", "1.2"),
        ("from pathlib import Path\nV = (Path(__file__).parent / 'VERSION').read_text().strip()", "1.2"),
        ("from churn import __version__ as V", "1.2"),
        ("import churn\nV = churn.__version__", "1.2"),
        ("import re\nV = re.search('= .(.*?).$', open('churn/__init__.py').read().strip()).group(1)", "1.2"),
        ("def f(a, b='2'):\n    return a + '.' + b\nV = f('1')", "1.2"),
        ("about = {}\nexec(open('churn/__init__.py').read(), about)\nV = about['__version__']", "1.2"),
        ("exec(compile(open('churn/__init__.py').read(), 'x', 'exec'))\nV = __version__", "1.2"),
        ("def f(*names, **kw):\n    return kw.get('s', '.').join(names)\nV = f('1', '2')", "1.2"),
        ("import runpy\nV = runpy.run_path('churn/__init__.py')['__version__']", "1.2"),
        ("try:\n    V = open('NONE').read()\nexcept IOError:\n    V = '1.2'", "1.2"),
        ("import ast\nV = ast.literal_eval(open('churn/__init__.py').read().split('=')[1].strip())", "1.2"),
    ],
)
def test_follows_the_usual_ways_to_say_a_version(tmp_path, code, expected):
    setup = f"from setuptools import setup\n{code}\nsetup(name='churn', version=V)\n"
    written(tmp_path, {"VERSION": "1.2\n", "churn/__init__.py": "__version__ = '1.2'\n"})
    assert keywords(tmp_path, setup)["version"] == expected


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\nV = os.environ['V']", "os.environ"),
        (
            "import os\ndef f():\n    if os.environ.get('X'):\n        return '1'\n    return '2'\nV = f()",
            "os.environ.get()",
        ),
        ("import subprocess\nV = subprocess.check_output(['git', 'describe']).decode()", "subprocess.check_output()"),
        ("import versioneer\nV = versioneer.get_version()", "versioneer.get_version()"),
        ("import sys\nif sys.platform == 'win32':\n    V = '1'\nelse:\n    V = '2'", "the interpreter or the platform"),
        ("V = open('/etc/passwd').read()", "no file of the project"),
        ("V = open('../secret').read()", "no file of the project"),
        ("V = __import__('os').getcwd()", "__import__"),
        ("V = [c for c in ().__class__.__base__.__subclasses__()]", "__class__"),
        ("import time\nV = str(time.time())", "time.time()"),
        ("V = '1' * 3", "Mult"),
        ("import time\nV = str(len(time.tzname))", "time.tzname"),
        ("import time\nV = '%s' % time.tzname", "time.tzname"),
        ("import time\nV = f'{time.tzname}'", "time.tzname"),
        ("import sys\nV = '1' if sys.flags else '2'", "sys.flags"),
        ("import time\nV = ['1', '2'][bool(time.tzname)]", "time.tzname"),
        ("import time\nV = '.'.join([str(1), time.tzname])", ""),
        ("import time\nV = max('1', time.tzname)", "time.tzname"),
        ("V = '%1000000000d' % 1", "without bounds"),
        ("V = '{:1000000000}'.format(1)", "without bounds"),
        ("V = 'ab'\nfor n in range(3):\n    pass\nfor n in [1] * 2:\n    pass\nV = 1 / 0", "division by zero"),
        ("V = 'a'\nfor c in 'x' + 'abcdefghijklmnopqrstuvwxyz':\n    V = V.replace('a', V + V)", "without bounds"),
        ("V = 9\nfor c in 'abcdefghijklmnopqrstuvwxyz':\n    V = V * V", "without bounds"),
        ("V = ''\nwhile True:\n    V += '1'", "while"),
        ("def f(n):\n    return f(n)\nV = f(1)", "without end"),
        ("x = ['a']\nfor a in x:\n    x = x + x\n    V = [b for c in x for b in x]", ""),
    ],
)
def test_says_what_cannot_be_known_and_never_runs_it(tmp_path, code, reason):
    found = keywords(tmp_path, f"from setuptools import setup\n{code}\nsetup(name='churn', version=V)\n")
    if reason:
        assert isinstance(found["version"], Unread)
        assert reason in found["version"].why
    assert found["name"] == "churn"


def test_a_field_that_cannot_be_read_does_not_hide_the_others(tmp_path):
    setup = """
        import os
        from setuptools import setup
        setup(name="churn", extras_require={"a": ["x"], "b": [os.environ["B"]]}, install_requires=["numpy"])
    """
    written(tmp_path, {"setup.py": setup})
    declared = declared_in(tmp_path)
    assert declared.table == {"name": "churn", "dependencies": ["numpy"]}
    [(field, why, where)] = declared.unread
    assert field == "extras_require"
    assert "os.environ" in why
    assert where.endswith("setup.py, line 3")


@given(
    st.dictionaries(
        st.sampled_from(["name", "version", "keywords", "install_requires", "package_data"]),
        st.recursive(
            st.text(max_size=8) | st.integers() | st.booleans() | st.none(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_literals_are_read_as_python_reads_them(values):
    call = ", ".join(f"{name}={value!r}" for name, value in values.items())
    module = parse(f"from setuptools import setup\nsetup({call})\n", where="setup.py")
    assert read_setup(World(EMPTY, "setup.py"), module) == values


@given(st.text("abc +-*/()[]{}:=,.'\"\n\t#%01", max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    try:
        module = parse(text, where="setup.py")
    except AdoptError as error:
        assert error.where  # noqa: PT017 - what is promised of every refusal
        return
    assert isinstance(read_names(World(EMPTY, "setup.py"), module), dict)


def test_a_syntax_error_names_file_and_line(tmp_path):
    written(tmp_path, {"setup.py": "from setuptools import setup\nsetup(name='a',,)\n"})
    with pytest.raises(AdoptError) as caught:
        declared_in(tmp_path)
    assert caught.value.where.endswith("setup.py, line 2")


def test_python_2_is_called_python_2(tmp_path):
    written(tmp_path, {"setup.py": "from setuptools import setup\nprint 'hello'\nsetup(name='a')\n"})
    with pytest.raises(AdoptError, match="not Python 3") as caught:
        declared_in(tmp_path)
    assert "line 2" in caught.value.where


def test_compiled_extensions_are_refused(tmp_path):
    setup = "from setuptools import setup\nsetup(name='a', ext_modules=['x'])\n"
    written(tmp_path, {"setup.py": setup})
    with pytest.raises(AdoptError, match="compiles code"):
        declared_in(tmp_path)


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ("setup(name='a', install_requires=['not a requirement'])", "no requirement"),
        ("setup(name='a', entry_points={'console_scripts': ['nothing']})", "no entry point"),
        ("setup(name='a', entry_points='[console_scripts')", "cannot be read"),
        ("print(1)", "never called"),
    ],
)
def test_malformed_declarations_are_refused(tmp_path, setup, message):
    written(tmp_path, {"setup.py": f"from setuptools import setup\n{setup}\n"})
    with pytest.raises(AdoptError, match=message):
        declared_in(tmp_path)


def test_a_broken_setup_cfg_is_refused(tmp_path):
    written(tmp_path, {"setup.cfg": "[metadata\nname = a\n"})
    with pytest.raises(AdoptError, match=r"setup\.cfg cannot be read"):
        declared_in(tmp_path)


def test_what_has_no_equivalent_is_mentioned(tmp_path):
    setup = "from setuptools import setup\nsetup(name='a', cmdclass={'x': 1}, tests_require=['b'], license='BSD')\n"
    written(tmp_path, {"setup.py": setup})
    said = " ".join(each.what for each in declared_in(tmp_path).findings)
    assert "cmdclass has no equivalent" in said
    assert "tests_require has no equivalent" in said
    assert "'BSD' names no licence" in said
