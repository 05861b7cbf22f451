"""``deployment.toml``: everything wrong is said at once, with its place; what is right survives being written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from modelwright.errors import DeploymentError
from modelwright.serving.deployment import (
    Deployment,
    Limits,
    ModelDeployment,
    RecordSettings,
    ServerSettings,
    Variant,
)
from modelwright.serving.deployment_file import parse_deployment, read_deployment, written
from modelwright.serving.deployment_keys import deployment_schema
from modelwright.serving.deployment_options import deployment_of

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "format-1"
MODEL = '[models.churn]\nreference = "churn@production"\n'


def parse(text: str, folder: Path = Path()) -> Deployment:
    return parse_deployment(text.encode(), folder=folder)


def problems(text: str, folder: Path = Path()) -> dict[str, str]:
    """Return what is wrong, by place."""
    with pytest.raises(DeploymentError) as caught:
        parse(text, folder)
    return {problem.item: f"{problem.problem} ({problem.hint})" for problem in caught.value.problems}


def test_a_reference_is_one_variant_named_control():
    model = parse(MODEL + 'workers = 3\ndeadline_s = 5\nwatch = true\ntrust = ["a.B"]').models["churn"]
    assert model == ModelDeployment(
        name="churn",
        variants={"control": Variant(reference="churn@production")},
        limits=Limits(workers=3, deadline_s=5.0),
        watch=True,
        trust=("a.B",),
    )


def test_the_control_comes_first_and_shadows_last():
    said = parse(
        """
        [models.churn.variants]
        quiet = { reference = "churn==0.9", role = "shadow" }
        baseline = { reference = "top-sellers==1.0.0", weight = 50 }
        control = { reference = "churn==1.2.0", weight = 50 }
        loud = { reference = "churn==2.0", role = "shadow" }
        """
    )
    assert list(said.models["churn"].variants) == ["control", "baseline", "quiet", "loud"]


def test_the_first_live_variant_is_the_control_where_none_is_called_so():
    said = parse('[models.a.variants]\ns = {reference = "a==1", role = "shadow"}\nb = {reference = "b"}')
    assert list(said.models["a"].variants) == ["b", "s"]


def test_every_problem_is_listed_with_its_place():
    found = problems(
        """
        regstry = "x"
        port = 8080
        [server]
        port = 70000
        admin_prt = 1
        head_s = inf
        access_log = "yes"
        [records]
        columns = { age = "hsh" }
        [models.churn]
        reference = "a b"
        workers = true
        [models.b.variants.first]
        reference = "churn==1.0"
        weight = 0
        role = "shadw"
        [models.c.variants.only]
        reference = "churn==1.0"
        role = "shadow"
        [models.d]
        [models.e]
        reference = "e==1"
        watch = true
        variants.control.reference = "e==2"
        """
    )
    assert found == {
        "regstry": "is no key of this table (did you mean 'registry'?)",
        "port": "is no key of this table (it belongs to [server])",
        "[server] port": "must be a whole number between 0 and 65535, and is 70000 ()",
        "[server] admin_prt": "is no key of this table (did you mean 'admin_port'?)",
        "[server] head_s": "must be a number above 0 and at most 604800, and is inf ()",
        "[server] access_log": "must be true or false, and is 'yes' ()",
        "[records] columns.age": "must be 'keep' or 'hash' or 'drop', and is 'hsh' (did you mean 'hash'?)",
        "[models.churn] reference": "'a b' names no package (Write name, name==1.3.0 or name@production."
        " Or the path of a wheel or folder.)",
        "[models.churn] workers": "must be a whole number between 1 and 1024, and is true ()",
        "[models.b.variants.first] weight": "must be a number above 0, and is 0 ()",
        "[models.b.variants.first] role": "must be 'live' or 'shadow', and is 'shadw' (did you mean 'shadow'?)",
        "[models.c.variants]": 'has no live variant, so nobody would answer (give one role = "live")',
        "[models.d]": 'says not which package is served (reference = "d@production")',
        "[models.e]": "has both a reference and variants (move the reference to [models.e.variants.control])",
        "[models.e] watch": 'follows a stage, and the control\'s reference names none (reference = "e@production")',
    }


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "[models]", "names no model"),
        ("models = 3", "[models]", "names no model"),
        ("[models]\nchurn = 'churn==1'", "[models.churn]", "says not which package"),
        (MODEL + "server = 1", "[models.churn] server", "no key of this table"),
        ("server = []\n" + MODEL, "[server]", "must be a table, and is a list"),
        ('[models.Customer_Churn]\nreference = "churn"', "[models.Customer_Churn]", "'customer-churn' (PEP 503)"),
        ('[models."a b"]\nreference = "churn"', "[models.a b]", "no name of a model"),
        ('[models.a.variants.A]\nreference = "churn"', "[models.a.variants.A]", "lower-case"),
        ('[models.a.variants.b]\nrole = "live"', "[models.a.variants.b]", "says not which package it is"),
        ('[models.a.variants.b]\nreference = "x"\nweight = nan', "[models.a.variants.b] weight", "and is nan"),
        (
            '[models.a.variants]\nb = {reference = "x"}\nc = {reference = "x", role = "shadow", weight = 3}',
            "[models.a.variants.c] weight",
            "has no share",
        ),
        ('[models.a]\nreference = "./no.whl"', "[models.a] reference", "is not there"),
        (MODEL + '[server]\ntls_key = "key.pem"', "[server]", "needs both"),
        (MODEL + "[server]\nadmin_port = 8080", "[server]", "the same number"),
        (MODEL + "[records]\nsample = 1.5", "[records] sample", "between 0 and 1, and is 1.5"),
        (MODEL + "[records]\nsalt = 12345", "[records] salt", "must be a text, and is a number"),
        (MODEL + "trust = 'x'", "[models.churn] trust", "must be a list of texts"),
    ],
)
def test_each_mistake_is_named(text, place, said):
    assert said in problems(text)[place]


@pytest.mark.parametrize("content", [b"[models.a\n", b"\xff", b"[models.a]\n[models.a]", b"x = " + b"[" * 5000])
def test_what_is_no_toml_is_refused(content):
    with pytest.raises(DeploymentError, match="not TOML"):
        parse_deployment(content, folder=Path())


def test_a_file_that_is_not_there_says_what_to_give(tmp_path):
    with pytest.raises(DeploymentError, match="cannot be read") as caught:
        read_deployment(tmp_path / "deployment.toml")
    assert "modelwright serve" in caught.value.hint


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "models").mkdir()
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    text = """
        registry = "registry"
        [server]
        tls_certificate = "cert.pem"
        tls_key = "key.pem"
        [records]
        folder = "../records"
        [models.churn]
        reference = "models"
    """
    (tmp_path / "deployment.toml").write_text(text)
    said = read_deployment(tmp_path / "deployment.toml")
    assert said.registry == str(tmp_path / "registry")
    assert said.server.tls_key == str(tmp_path / "key.pem")
    assert said.records.folder == str(tmp_path.parent / "records")
    assert said.models["churn"].variants["control"].reference == str(tmp_path / "models")


def test_addresses_stay_as_they_are():
    said = parse('registry = "https://models.example"\n[models.a]\nreference = "https://models.example/a.whl"')
    assert (said.registry, said.models["a"].variants["control"].reference) == (
        "https://models.example",
        "https://models.example/a.whl",
    )


def test_a_salt_is_in_no_message():
    found = problems(MODEL + '[records]\nsalt = ["s3cret"]\nfolder = 1')
    assert "s3cret" not in str(found)


NAMES = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True)
REFERENCES = st.builds("{}{}".format, NAMES, st.sampled_from(["", "==1.3.0", "@staging"]))
SECONDS = st.floats(0.001, 86400.0)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def deployments(draw) -> Deployment:
    """Draw any deployment that can be honoured, in its normal form: live variants first."""

    def model(name: str) -> ModelDeployment:
        live = draw(st.lists(NAMES.filter("control".__ne__), max_size=2, unique=True))
        shadows = draw(st.lists(NAMES.filter(lambda name: name not in (*live, "control")), max_size=2, unique=True))
        weights = st.floats(min_value=1e-6, max_value=1e6)
        variants = {one: Variant(reference=draw(REFERENCES), weight=draw(weights)) for one in ("control", *live)} | {
            one: Variant(reference=draw(REFERENCES), role="shadow") for one in shadows
        }
        watch = draw(st.booleans()) and "@" in variants["control"].reference
        limits = Limits(workers=draw(st.integers(1, 64)), deadline_s=draw(SECONDS), threads=draw(st.integers(0, 9)))
        salt, trust = draw(TEXT), tuple(draw(st.lists(TEXT, max_size=2)))
        return ModelDeployment(name=name, variants=variants, watch=watch, limits=limits, salt=salt, trust=trust)

    server = ServerSettings(port=draw(st.integers(1, 9000)), admin_port=draw(st.sampled_from([-1, 9001])))
    columns = draw(st.dictionaries(TEXT, st.sampled_from(["keep", "hash", "drop"]), max_size=2))
    records = RecordSettings(columns=columns, sample=draw(st.floats(0, 1)))
    names = draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    registry = draw(st.sampled_from(["", "https://models.example"]))
    return Deployment(models={name: model(name) for name in names}, server=server, records=records, registry=registry)


@given(deployments())
def test_what_is_written_is_read_again_and_fits_the_schema(deployment):
    text = written(deployment)
    assert parse(text) == deployment
    Draft202012Validator(deployment_schema()).validate(tomllib.loads(text))


def test_the_schema_is_one_and_refuses_what_the_reader_refuses():
    schema = deployment_schema()
    Draft202012Validator.check_schema(schema)
    judge = Draft202012Validator(schema)
    for text in (
        "",
        "[models.A]\nreference='a'",
        "[models.a]",
        "[models.a]\nreference='a'\nwrkers=1",
        "[models.a]\nreference='a'\nworkers=0",
        "[models.a.variants.x]\nreference='a'\nweight=0",
        "[models.a]\nreference='a'\n[server]\nport=-1",
    ):
        assert not judge.is_valid(tomllib.loads(text)), text
        problems(text)


def test_references_of_the_command_line_are_models_of_their_own_names():
    said = deployment_of(
        [str(GOLDEN / "twice-1.0.0"), "Churn@production"], folder=Path(), limits=Limits(workers=2), trust=("a.B",)
    )
    assert list(said.models) == ["twice", "churn"]
    assert said.models["churn"].variants["control"].reference == "churn@production"
    assert all(model.limits.workers == 2 and model.trust == ("a.B",) for model in said.models.values())
    assert parse(written(said)) == said


def test_references_that_cannot_be_served_are_all_listed(tmp_path):
    with pytest.raises(DeploymentError) as caught:
        deployment_of(["churn==1", "churn==2", "a b", "./none.whl", str(tmp_path)], folder=tmp_path, watch=True)
    said = {problem.item for problem in caught.value.problems}
    assert said == {"churn==1", "churn==2", "a b", "./none.whl", str(tmp_path)}


def test_nothing_to_serve_says_what_to_give():
    with pytest.raises(DeploymentError, match="names no model"):
        deployment_of([], folder=Path())


def test_every_key_has_a_meaning_in_the_schema():
    def check(schema: dict) -> None:
        for value in schema.get("properties", {}).values():
            assert value.get("description"), value
            check(value)

    check(deployment_schema())
    assert msgspec.json.encode(deployment_schema())
