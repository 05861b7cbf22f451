"""Data files: which text a piece of code stands for, which files are read, and how their paths are written anew."""

from __future__ import annotations

import ast

import pytest

from modelwright.project.notebook.datafiles import find_files
from modelwright.project.notebook.flow import trace
from modelwright.project.notebook.statements import CodeCell, split
from modelwright.project.notebook.texts import literal_texts


def files(code: str, folder):
    return find_files(trace(split(CodeCell(1, code), {})), folder)


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("P = 'in/a.csv'", "P"),
        ("R = 'in'\nP = R + '/' + 'a.csv'", "P"),
        ("R = 'in'\nP = f'{R}/a.csv'", "P"),
        ("R = Path('in')\nP = R / 'a.csv'", "P"),
        ("P = os.path.join('in', 'a.csv')", "P"),
        ("C = {'data': 'in/a.csv', 'k': 3}", "C['data']"),
        ("class C:\n    DATA = 'in/a.csv'", "C.DATA"),
        ("class C:\n    data: str = 'in/a.csv'\nc = C()", "c.data"),
        ("p.add_argument('-d', '--data-file', default='in/a.csv')\nargs = p.parse_args([])", "args.data_file"),
    ],
)
def test_a_text_is_known_however_it_is_kept(code, key):
    assert literal_texts(ast.parse(code).body)[key] == "in/a.csv"


def test_what_is_not_literal_is_not_known():
    assert literal_texts(ast.parse("P = input()\nQ = 'a' + P\nR = f'{P}.csv'").body) == {}


@pytest.mark.parametrize(
    "code",
    [
        "df = pd.read_csv('a.csv')",
        "def load(path):\n    return pd.read_csv(path)\ndf = load('a.csv')",
        "def load(n, path='a.csv'):\n    return pd.read_csv(path)\ndf = load(3)",
        "def load(path='b.csv'):\n    return pd.read_csv(path)\ndf = load(path='a.csv')",
        "C = {'data': 'a.csv'}\ndf = pd.read_csv(C['data'])",
        "with open('a.csv') as f:\n    rows = f.read()",
    ],
)
def test_a_file_is_found_however_its_path_gets_there(code, tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    found = files(code, tmp_path)
    assert found.copied == {"data/a.csv": tmp_path / "a.csv"}
    assert found.spelled == {"a.csv": "data/a.csv"}
    assert not found.missing


def test_a_file_that_is_not_there_is_named_with_its_cell(tmp_path):
    assert files("def load(p):\n    return pd.read_csv(p)\ndf = load('gone.csv')", tmp_path).missing == [
        (1, "gone.csv")
    ]


def test_a_file_that_the_notebook_writes_is_not_missing(tmp_path):
    assert not files("df.to_csv('made.csv')\ndg = pd.read_csv('made.csv')", tmp_path).missing


def test_two_files_of_one_name_get_two_places(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(folder)
    found = files("x = pd.read_csv('one/a.csv')\ny = pd.read_csv('two/a.csv')", tmp_path)
    assert sorted(found.copied) == ["data/2-a.csv", "data/a.csv"]


def test_an_address_is_reported_and_not_looked_for(tmp_path):
    found = files("df = pd.read_csv('https://example.org/a.csv')", tmp_path)
    assert found.network == [(1, "https://example.org/a.csv")]
    assert not found.missing
