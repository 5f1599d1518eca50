"""The instance file: exact reading, round trips, and one clear line for each malformed input."""

import json
from fractions import Fraction as F

import numpy as np
import pytest

from proofs_checks import cli
from proofs_checks.errors import InputError
from proofs_checks.instance_file import Factors, Instance, load_instance
from proofs_checks.instance_numbers import number_text, parse_number

V = [[1.5, 0], [0, 0.5]]
GOOD = {"V": V, "dV": [[0, 0.25], [0.25, 0]]}


def write(tmp_path, content, name="instance.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_numbers_are_read_as_their_exact_decimal_text(tmp_path):
    text = '{"V": [[0.1, "1/3"], ["1e-300", -2]], "dV": [["-.5", 1E2], [0.30000000000000001, "+7"]]}'
    found = load_instance(write(tmp_path, text))
    assert ((F(1, 10), F(1, 3)), (F(1, 10**300), F(-2))) == found.V
    assert found.dV == ((F(-1, 2), F(100)), (F(30000000000000001, 10**17), F(7)))


def test_factors_are_multiplied_exactly_and_kept(tmp_path):
    data = {"V": V, "dV": {"B": [["0.1"], ["1/3"]], "A": [[3, 0.7]], "scale": "1/2"}}
    found = load_instance(write(tmp_path, data))
    assert found.dV == ((F(3, 20), F(7, 200)), (F(1, 2), F(7, 60)))
    assert found.factors == Factors(((F(1, 10),), (F(1, 3),)), ((F(3), F(7, 10)),), F(1, 2))
    found.save(tmp_path / "again.json")
    assert load_instance(tmp_path / "again.json") == found


def test_round_trip_of_everything(tmp_path):
    instance = Instance.from_arrays(
        V=np.array([[0.1, 1e-300], [1 / 3, 5e17]]),
        dV=[["1/3", 0], [2, -0.5]],
        A=np.eye(2),
        dA=np.zeros((2, 2), dtype=int),
        X0=np.array([[0.6, 0.8], [np.sqrt(0.5), -np.sqrt(0.5)]]),
        T=2.5,
        options={"normalize": False, "digits": 20},
        claim="prop-3.3/drift",
        kind="counterexample",
        note="ü",
        meta={"ratio": 1.25, "seed": 3, "names": ["a", 2]},
    )
    instance.save(tmp_path / "x.json")
    assert load_instance(tmp_path / "x.json") == instance
    assert instance.V[0][0] == F(1, 10)  # a float stands for its shortest decimal text
    arrays = instance.arrays()
    assert arrays["V"][1, 0] == 1 / 3
    assert np.abs(np.linalg.norm(arrays["X0"], axis=1) - 1).max() < 1e-15


def test_document_holds_no_floats():
    def leaves(x):
        if isinstance(x, list):
            return [leaf for y in x for leaf in leaves(y)]
        return [x]

    data = Instance.from_arrays(V=[[0.1, 2], [2, 1e-30]], dV=np.eye(2)).to_dict()
    assert data == {"V": [["0.1", 2], [2, "1e-30"]], "dV": [[1, 0], [0, 1]]}
    assert not any(isinstance(x, float) for x in leaves(data["V"]))


@pytest.mark.parametrize(
    ("value", "text"),
    [(F(1, 3), "1/3"), (F(-1, 4), "-0.25"), (F(7), 7), (F(1, 10**40), "1e-40"), (F(10**20), str(10**20))],
)
def test_shortest_exact_text(value, text):
    assert number_text(value) == text
    assert parse_number(number_text(value), "x") == value


def test_binary_numbers_of_npz_are_exact(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, V=np.array([[0.1, 1e-300], [0, 2]]), dV_B=np.ones((2, 1)), dV_A=np.ones((1, 2)), dV_scale=0.25, T=3)
    found = load_instance(path)
    assert found.V[0][0] == F(*(0.1).as_integer_ratio()) != F(1, 10)
    assert found.V[0][1] == F(*(1e-300).as_integer_ratio())
    assert found.dV == ((F(1, 4), F(1, 4)),) * 2
    assert found.T == 3
    found.save(tmp_path / "x.json")
    assert load_instance(tmp_path / "x.json") == found


def test_tokens_within_the_tolerance_are_accepted_and_others_only_with_normalize(tmp_path):
    near = {**GOOD, "X0": [[0.6000003, 0.8]]}
    assert ((F(6000003, 10**7), F(4, 5)),) == load_instance(write(tmp_path, near)).X0
    far = {**GOOD, "X0": [[3, 4]], "options": {"normalize": True}}
    assert load_instance(write(tmp_path, far)).arrays()["X0"] == pytest.approx(np.array([[0.6, 0.8]]))


def broken(**changes):
    return json.dumps({**GOOD, **changes})


MALFORMED = {
    "not JSON": ("{", "not JSON"),
    "empty file": ("", "not JSON"),
    "a list": ("[1, 2]", "no instance"),
    "NaN": ('{"V": [[NaN, 0], [0, 1]], "dV": [[0,0],[0,0]]}', "NaN"),
    "Infinity": ('{"V": [[1, 0], [0, 1]], "dV": [[-Infinity,0],[0,0]]}', "-Infinity"),
    "no number": (broken(V=[[1, "one"], [0, 1]]), "V[0][1] is 'one'"),
    "nan as string": (broken(V=[["nan", 0], [0, 1]]), "V[0][0]"),
    "empty string": (broken(V=[["", 0], [0, 1]]), "V[0][0]"),
    "division by zero": (broken(dV=[["1/0", 0], [0, 1]]), "dV[0][0] is '1/0', a division by zero"),
    "huge exponent": (broken(V=[["1e999999999", 0], [0, 1]]), "exponents"),
    "boolean": (broken(V=[[True, 0], [0, 1]]), "V[0][0] is true"),
    "null": (broken(V=[[None, 0], [0, 1]]), "null"),
    "object": (broken(V=[[{}, 0], [0, 1]]), "dict"),
    "ragged": (broken(V=[[1, 0], [0]]), "ragged: row 1"),
    "not square": (broken(V=[[1, 0, 0], [0, 1, 0]]), "V is 2×3"),
    "flat": (broken(V=[1, 2]), "V[0] must be a row"),
    "empty matrix": (broken(V=[]), "V must be a matrix"),
    "empty row": (broken(V=[[]]), "V[0] must be a row"),
    "d = 1": (broken(V=[[1]], dV=[[1]]), "d >= 2"),
    "dV of another shape": (broken(dV=[[1, 0, 0], [0, 1, 0], [0, 0, 1]]), "dV is 3×3: it must be 2×2"),
    "A of another shape": (broken(A=[[1, 0, 0], [0, 1, 0], [0, 0, 1]]), "A is 3×3"),
    "factors that do not match": (broken(dV={"B": [[1, 2], [3, 4]], "A": [[1, 2]]}), "columns of B"),
    "product of another shape": (broken(dV={"B": [[1]], "A": [[1, 2]]}), "dV is 1×2"),
    "factor missing": (broken(dV={"B": [[1], [2]]}), "dV has no A"),
    "factor unknown": (broken(dV={"B": [[1], [2]], "A": [[1, 2]], "Scale": 2}), "did you mean 'scale'"),
    "no dV": (json.dumps({"V": V}), "has no dV"),
    "unknown key": (broken(x0=[[1, 0]]), "did you mean 'X0'"),
    "duplicate key": ('{"V": [[1,0],[0,2]], "V": [[1,0],[0,2]], "dV": [[0,0],[0,0]]}', "twice"),
    "token width": (broken(X0=[[1, 0, 0]]), "X0[0] has 3 entries"),
    "zero token": (broken(X0=[[1, 0], [0, 0]]), "X0[1] is the zero vector"),
    "zero token, normalised": (broken(X0=[[0, 0]], options={"normalize": True}), "zero vector"),
    "non-unit token": (broken(X0=[[0.6, 0.81]]), "X0[0] has norm 1.008"),
    "huge token": (broken(X0=[["1e400", 0]]), "far from 1"),
    "no tokens": (broken(X0=[]), "X0 must be a matrix"),
    "T = 0": (broken(T=0), "T is 0"),
    "T negative": (broken(T="-1/3"), "T is -1/3"),
    "T a list": (broken(T=[1]), "T is no number"),
    "options a list": (broken(options=[1]), "options must be an object"),
    "unknown option": (broken(options={"normalise": True}), "did you mean 'normalize'"),
    "option of the wrong type": (broken(options={"normalize": 1}), "options.normalize"),
    "digits out of range": (broken(options={"digits": 0}), "options.digits"),
    "note a number": (broken(note=3), "note must be a text"),
    "deep nesting": ('{"V": ' + "[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_input_is_one_line_and_exit_2(case, tmp_path, capsys):
    text, expected = MALFORMED[case]
    path = write(tmp_path, text)
    assert cli.main(["instance", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    assert str(path) in captured.err
    assert expected in captured.err


def save_npz(path, **arrays):
    np.savez(path, **{"V": np.eye(2), "dV": np.eye(2), **arrays})


NPZ_MALFORMED = {
    "objects": ({"V": np.array([[1, None], [0, 1]], dtype=object)}, "Python objects"),
    "NaN": ({"V": np.array([[1, 0], [np.nan, 1]])}, "V[1][0] is not finite"),
    "complex": ({"V": np.eye(2) * 1j}, "dtype complex"),
    "booleans": ({"V": np.eye(2, dtype=bool)}, "dtype bool"),
    "axes": ({"X0": np.array([1.0, 0])}, "X0 has 1 axes"),
    "empty": ({"V": np.zeros((0, 0)), "dV": np.zeros((0, 0))}, "V must be a matrix"),
    "both": ({"dV_B": np.ones((2, 1))}, "both dV and dV_B"),
    "unknown": ({"x0": np.eye(2)}, "did you mean 'X0'"),
}


@pytest.mark.parametrize("case", NPZ_MALFORMED)
def test_malformed_npz(case, tmp_path, capsys):
    arrays, expected = NPZ_MALFORMED[case]
    path = tmp_path / "x.npz"
    save_npz(path, **arrays)
    assert cli.main(["instance", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert expected in captured.err


@pytest.mark.parametrize("content", [b"PK\x03\x04 damaged", b"\xff\xfe\x00", b"\x93NUMPY"])
def test_damaged_binary_files(content, tmp_path, capsys):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    assert cli.main(["instance", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_missing_file_and_directory(name, tmp_path, capsys):
    assert cli.main(["instance", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_from_arrays_refuses_nan_and_bad_shapes():
    with pytest.raises(InputError, match=r"V\[0\]\[0\]"):
        Instance.from_arrays(V=np.array([[np.nan, 0], [0, 1]]), dV=np.eye(2))
    with pytest.raises(InputError, match="dV is 3×3"):
        Instance.from_arrays(V=np.eye(2), dV=np.eye(3))


def test_arrays_beyond_double_precision():
    with pytest.raises(InputError, match=r"V\[0\]\[0\] is beyond double precision"):
        Instance.from_arrays(V=[["1e400", 0], [0, 1]], dV=np.eye(2)).arrays()
