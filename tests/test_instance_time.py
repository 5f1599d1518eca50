"""The finite-time answers of ``instance`` against closed forms."""

import json
import math

import pytest

from proofs_checks import cli
from proofs_checks.instance_analysis import analyse
from proofs_checks.instance_file import Instance
from proofs_checks.instance_time import KEYS, finite_time


def answer(**fields):
    instance = Instance.from_arrays(**fields)
    analysis = analyse(instance)
    return finite_time(instance, analysis.level, analysis.digits, analysis.working_digits)


def test_rotation_attains_the_bound_where_K_is_zero():
    # V = 0: the base stands still, the token turns at the rate of the antisymmetric ΔV.
    found = answer(V=[[0, 0], [0, 0]], dV=[[0, "-0.3"], ["0.3", 0]], X0=[[1, 0]], T=2)
    assert found.values["K"] == 0
    assert float(found.values["delta"]) == pytest.approx(0.3, rel=1e-15)
    assert float(found.values["bound"]) == pytest.approx(0.6, rel=1e-15)
    assert found.values["observed_angle"] == pytest.approx(0.6, rel=1e-9)
    assert found.values["observed_w2"] == pytest.approx(2 * math.sin(0.3), rel=1e-9)
    assert found.notes["T_dev"] == "u1 is not defined"
    assert not found.trivial


def test_jump_of_one_token_past_a_crossing_has_its_closed_form():
    # tan of the angle to ũ1 decays at the rate of the gap: every time here is a logarithm.
    fields = {"V": [[1.5, 0], [0, 0.5]], "dV": [[-1.2, "0.1"], ["0.1", 1]], "X0": [[1, 0]], "T": 20}
    found = answer(**fields, options={"angle": 0.6})
    gap, turned = math.hypot(1.2, 0.2), math.pi / 2 - math.atan2(0.2, 1.2) / 2  # of [[.3,.1],[.1,1.5]]
    arrival = math.log(math.tan(turned) / math.tan(0.6)) / gap
    departure = math.log(math.tan(turned) / math.tan(turned - 0.6)) / gap
    assert float(found.values["T_plus"]) == pytest.approx(arrival, rel=1e-12)
    assert found.values["T_plus_observed"] == pytest.approx(arrival, rel=1e-9)
    assert float(found.values["T_dev_upper"]) == pytest.approx(departure, rel=1e-12)
    assert found.values["T_dev"] == pytest.approx(departure, rel=1e-9)
    assert 0 < found.values["T_dev_lower"] < departure
    assert found.trivial
    assert found.angle == 0.6


def test_lower_bound_is_attained_in_the_plane_of_u1_and_b():
    # Ṽ = [[0,0],[1,1]] about u1 = e1 of V = diag(1,0): w = c = 0, b = κ = 1, so ϑ' = 1 + ϑ for one token.
    found = answer(V=[[1, 0], [0, 0]], dV=[[-1, 0], [1, 1]], X0=[["0.96", "0.28"]], T=3)
    expected = math.log(2 / (1 + 0.28 / 0.96))
    assert float(found.values["T_dev_lower"]) == pytest.approx(expected, rel=1e-12)
    assert found.values["T_dev"] == pytest.approx(expected, rel=1e-9)
    assert found.values["T_plus"] is None
    assert found.values["T_dev_upper"] is None


def test_tokens_that_can_never_leave_are_told_so():
    found = answer(V=[[1, 0], [0, 0]], dV=[[0, "0.1"], ["0.1", 0]], X0=[[1, 0], ["0.96", "0.28"]], T=5)
    assert "never" in found.notes["T_dev_lower"]
    assert "not before T" in found.notes["T_dev"]


def test_attention_update_counts_in_delta_and_K():
    # ||V|| = ||Ṽ|| = 1, ||A|| = 2, ||A + ΔA|| = 2.5.
    fields = {"V": [[1, 0], [0, 0]], "dV": [[0, 0], [0, 0]], "A": [[2, 0], [0, 0]], "dA": [["0.5", 0], [0, 0]]}
    found = answer(**fields, X0=[[1, 0], ["0.6", "0.8"]], T="0.1")
    assert float(found.values["delta"]) == pytest.approx(0.5, rel=1e-15)
    assert float(found.values["K"]) == pytest.approx(6, rel=1e-15)
    assert float(found.values["bound"]) == pytest.approx(0.5 * math.expm1(0.6) / 6, rel=1e-14)
    assert 0 < found.values["observed_angle"] < found.values["bound"]


def test_without_A_its_update_is_that_of_V():
    instance = Instance.from_arrays(V=[[1, 0], [0, 0]], dV=[[0, "0.1"], [0, 0]])
    assert instance.perturbed_attention() == Instance.from_arrays(V=[[1, "0.1"], [0, 0]], dV=[[0, 0], [0, 0]]).V
    attention, value = instance.flow_matrices(perturbed=True)
    assert (attention == value).all()
    assert (instance.flow_matrices(perturbed=False)[0] == [[1, 0], [0, 0]]).all()


@pytest.mark.parametrize(
    ("fields", "missing"),
    [({}, set(KEYS) - {"K", "delta"}), ({"X0": [[1, 0]]}, {"bound", "observed_angle", "observed_w2", "T_dev"})],
)
def test_every_missing_number_has_its_reason(fields, missing):
    found = answer(V=[[1, 0], [0, 0]], dV=[[0, 0], ["0.1", 0]], **fields)
    assert set(found.notes) == {k for k in KEYS if found.values[k] is None}
    assert missing <= set(found.notes)


def test_a_flow_too_fast_to_simulate_is_no_crash():
    found = answer(V=[["1e9", 0], [0, 0]], dV=[[0, 0], ["1e9", 0]], X0=[["0.6", "0.8"], [1, 0]], T=1000)
    assert found.values["observed_angle"] is None
    assert "did not reach T" in found.notes["observed_angle"]
    assert found.values["bound"] > 0


@pytest.mark.parametrize("angle", [0, 2, -1, True, "0.5"])
def test_a_bad_angle_is_one_line_and_exit_2(angle, tmp_path, capsys):
    path = tmp_path / "instance.json"
    path.write_text(json.dumps({"V": [[1, 0], [0, 0]], "dV": [[0, 0], [0, 0]], "options": {"angle": angle}}))
    assert cli.main(["instance", str(path)]) == 2
    err = capsys.readouterr().err.strip()
    assert "options.angle" in err
    assert len(err.splitlines()) == 1


def test_table_and_document(tmp_path, capsys):
    path = tmp_path / "instance.json"
    data = {"V": [[1.5, 0], [0, 0.5]], "dV": [[0, "0.1"], ["0.1", 0]], "X0": [["0.6", "0.8"]], "T": "0.1"}
    path.write_text(json.dumps(data))
    assert cli.main(["instance", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "observed_w2" in printed
    assert "T = 0.1" in printed
    assert cli.main(["instance", str(path), "--json", "-", "--digits", "30"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["K"] == "7.50000000000000000000000000000"  # 2 * 1.5 * (1 + 1.5), the smaller of both
    assert isinstance(found["observed_angle"], float)
    assert 0 < found["observed_angle"] < float(found["bound"])
