"""Separating Python from what only IPython, a shell or Colab understands."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import CellError
from modelwright.project.notebook.cells import Cell
from modelwright.project.notebook.magics import Separated, ShellLine, Unkept, separate


def separated(source: str) -> Separated:
    return separate(Cell(number=5, kind="code", source=textwrap.dedent(source)))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("%matplotlib inline\nx = 1", "# %matplotlib inline\nx = 1"),
        ("%%time\nx = 1", "# %%time\nx = 1"),
        ("# why\n\n%%capture out\n%%time\nx = 1", "# why\n\n# %%capture out\n# %%time\nx = 1"),
        ("%time x = f(1)", "x = f(1)"),
        ("y = %time f(1)", "y = f(1)"),
        ("%timeit -n 10 -r3 f(1)", "f(1)"),
        ("%prun -l 5 f(1)", "f(1)"),
        ("%%timeit -n 10\nf(1)", "# %%timeit -n 10\nf(1)"),
        ("%%timeit x = 1\nf(x)", "x = 1\nf(x)"),
        ("for i in y:\n    %time f(i)", "for i in y:\n    f(i)"),
        ("if y:\n    !ls\nelse:\n    f(1)", "if y:\n    pass  # !ls\nelse:\n    f(1)"),
        ("!pip install \\\n  pandas\nx = 1", "# !pip install \\\n# pandas\nx = 1"),
        ("df.head?\n?df\ndf??\nx = 1", "# df.head?\n# ?df\n# df??\nx = 1"),
        ("files = !ls\nx = 1", "# files = !ls\nx = 1"),
        ("%pylab inline", "from matplotlib.pylab import *  # %pylab inline"),
        ("%%html\n<b>x</b>", "# %%html\n# <b>x</b>"),
        ("pip install seaborn\nx = 1", "# pip install seaborn\nx = 1"),
        ("get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1", "# %matplotlib inline\nx = 1"),
        ("get_ipython().magic(u'time x = 1')", "x = 1"),
        ("get_ipython().run_cell_magic('time', '', 'x = 1\\ny = 2\\n')", "# %%time\nx = 1\ny = 2"),
        ("if y:\n    get_ipython().system('ls')", "if y:\n    pass  # !ls"),
        ("from google.colab import drive\ndrive.mount('/d')", "# from google.colab import drive\n# drive.mount('/d')"),
    ],
)
def test_only_python_is_left(source: str, code: str) -> None:
    assert separated(source).code == code


@pytest.mark.parametrize(
    "source",
    [
        "x = '''\n%time\n!ls\n'''",
        "x = (1\n%time\n+ 2)",
        "x = 7 \\\n  % y",
        'help = "use !pip install or %magic, or what?"',
        "# !pip install pandas\n# what?\nx = 1",
        'f"""\n%%writefile x\n{x}"""',
        "ok = a != b",
        "x %= 3",
    ],
)
def test_look_alikes_are_not_touched(source: str) -> None:
    found = separated(source)
    assert found == Separated(code=source)


def test_look_alikes_beside_real_commands_are_not_touched() -> None:
    source = "%time x = 1\ntext = '''it's\n!ls\n'''  # don't\n!echo 'it\ny = [\n  '%s'\n  % z]"
    assert separated(source).code == source.replace("%time ", "").replace("!echo", "# !echo")


def test_installed_requirements_are_collected() -> None:
    found = separated(
        """\
        !pip install -q -U 'pandas>=2' xgboost==2.0 -r extra.txt --index-url https://x.example/simple > /dev/null
        %pip install lightgbm[dask]
        !{sys.executable} -m pip install shap && pip3 install eli5
        !conda install -y -c conda-forge catboost=1.2
        !pip install git+https://x.example/y.git ./local.whl $NAME
        """
    )
    assert found.installs == ("pandas>=2", "xgboost==2.0", "lightgbm[dask]", "shap", "eli5", "catboost==1.2")
    assert len(found.shell) == 5
    assert not found.network


def test_what_is_taken_out_is_listed_with_its_line() -> None:
    found = separated("x = 1\n!wget -q https://x.example/a.csv\nfiles = !ls *.csv\na, b = %sql SELECT 1\n%env A=1")
    assert found.shell == (
        ShellLine(line=2, text="wget -q https://x.example/a.csv"),
        ShellLine(line=3, text="ls *.csv"),
    )
    assert [unkept.name for unkept in found.unkept] == ["files", "a", "b"]
    assert found.unkept[0] == Unkept(name="files", line=3, text="files = !ls *.csv")
    assert [magic.line for magic in found.magics] == [4, 5]
    assert found.downloads == (found.shell[0],)
    assert found.network


def test_commands_of_an_export_keep_their_lines() -> None:
    found = separated("x = 1\n\nget_ipython().system('pip install a')\nn = get_ipython().getoutput('ls')")
    assert found.shell == (ShellLine(line=3, text="pip install a"), ShellLine(line=4, text="ls"))
    assert found.unkept[0].name == "n"
    assert found.unkept[0].line == 4


def test_a_written_file_is_kept_by_its_path() -> None:
    found = separated("%%writefile src/helper.py\ndef f():\n    return 1\n")
    assert found.written == {"src/helper.py": "def f():\n    return 1\n"}
    assert ast.parse(found.code).body == []


def test_a_shell_cell_is_read_line_by_line() -> None:
    found = separated("%%bash\n# get it\npip install a\ngit clone https://x.example/y\n")
    assert (found.installs, found.network, len(found.shell)) == (("a",), True, 2)
    assert ast.parse(found.code).body == []


def test_mounted_drives_and_uploads_of_colab_are_reported() -> None:
    found = separated("from google.colab import drive, files\nif x:\n    drive.mount('/d')\nup = files.upload()\ny = 1")
    assert [line.line for line in found.colab] == [1, 3, 4]
    assert found.unkept[0].name == "up"
    assert [type(node) for node in ast.parse(found.code).body] == [ast.If, ast.Assign]


@pytest.mark.parametrize(
    ("source", "fetches"),
    [
        ("pd.read_csv('https://x.example/a.csv')", True),
        ("pd.read_csv('data/a.csv')", False),
        ("requests.get(url)", True),
        ("sns.load_dataset('iris')", True),
        ("fetch_california_housing()", True),
        ("load_iris()", False),
        ("settings.get('url')", False),
        ("urllib.request.urlretrieve(a, b)", True),
    ],
)
def test_calls_that_need_the_network_are_found(source: str, *, fetches: bool) -> None:
    assert separated(source).network is fetches


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\nprint x", 2),
        ("print 'a'", 1),
        ("try:\n    f()\nexcept ValueError, e:\n    pass", 3),
        ("raise ValueError, 'no'", 1),
        ("y = `x`", 1),
        ("if a <> b:\n    pass", 1),
        ("x = 10L", 1),
        ("x = 0777", 1),
        ("exec 'x = 1'", 1),
        ("x = ur'a'", 1),
    ],
)
def test_python_2_is_called_so(source: str, line: int) -> None:
    with pytest.raises(CellError, match="written for Python 2") as refused:
        separated(source)
    assert refused.value.where.startswith(f"cell 5, line {line}:")


@pytest.mark.parametrize("source", ["x = [1,\n  2", "return 5", "for x in y:\npass", "x = 1 +", "print(x y)", "x\0y"])
def test_a_syntax_error_names_cell_and_reason(source: str) -> None:
    with pytest.raises(CellError, match="Cell 5 is not valid Python") as refused:
        separated(source)
    assert refused.value.where.startswith("cell 5")
    assert "Python 2" not in str(refused.value)


STATEMENTS = st.sampled_from(
    [
        "x = 1",
        "f(1,\n  2)",
        "s = '''\n%time\n'''",
        "# don't",
        "def g():\n    return '!ls'",
        "y = {'a': [1]}",
        't = "it\'s"',
    ]
)
COMMANDS = st.sampled_from(
    ["!ls 'a", "%matplotlib inline", "%time z = 1", "df?", "n = !ls (", "!echo \\\n  more", "%cd [x"]
)


@given(st.lists(st.one_of(STATEMENTS, COMMANDS), max_size=8))
def test_lines_stay_where_they_are(parts: list[str]) -> None:
    source = "\n".join(parts)
    code = separate(Cell(number=1, kind="code", source=source)).code
    assert code.count("\n") == source.count("\n")
    line = 0
    for part in parts:
        height = part.count("\n") + 1
        if part.startswith(("x", "f", "s", "#", "def", "y", "t")):
            assert "\n".join(code.split("\n")[line : line + height]) == part
        line += height


@given(st.lists(STATEMENTS, max_size=6).map("\n".join))
def test_python_without_commands_is_unchanged(source: str) -> None:
    assert separate(Cell(number=1, kind="code", source=source)) == Separated(code=source)
