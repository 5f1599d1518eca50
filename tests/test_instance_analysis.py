"""The answer of ``instance`` against closed forms, an independent mpmath script and the theorem sheet's instances."""

import json
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from mpmath import mp

from proofs_checks import cli
from proofs_checks.collapse import FAMILIES, collapse_instance, rational_orthogonal
from proofs_checks.exact_spectrum import ExactEigenvector, leading_eigenvalue
from proofs_checks.instance_analysis import KEYS, MORE_KEYS, analyse
from proofs_checks.instance_file import Instance
from proofs_checks.instance_time import KEYS as TIME_KEYS

DIAGONAL = [[1.5, 0], [0, 0.5]]


def answer(V, dV, digits=None, **fields):
    return analyse(Instance.from_arrays(V=V, dV=dV, **fields), digits)


def run_json(tmp_path, capsys, data, *options):
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(data))
    assert cli.main(["instance", str(path), "--json", "-", *options]) == 0
    return json.loads(capsys.readouterr().out)


# --- forty digits at a gap of 1e-300 --------------------------------------------------------------


def script_two_by_two(gap, a, alpha, e):
    """An independent script: the 2×2 answer in closed form, in the planted frame, at 2,000 digits."""
    with mpmath.workdps(2000):
        gap, a, alpha, e = (mpmath.mpf(x.numerator) / x.denominator for x in (gap, a, alpha, e))
        angle = mpmath.atan2(2 * abs(alpha), gap + a - e) / 2
        theta = mpmath.atan(2 * abs(alpha) / (gap + a - abs(e))) / 2
        return {
            "gap": gap,
            "a": a,
            "b_norm": abs(alpha),
            "E_norm": abs(e),
            "criterion_margin": gap + a - 2 * abs(alpha) - abs(e),
            "cone_margin": 1 + a - abs(1 - gap + e) - 2 * abs(alpha),
            "theta_bound": theta,
            "drift_bound_sharp": 2 * mpmath.sin(theta / 2),
            "drift_bound_quoted": (2 * abs(alpha) + abs(e)) / (gap + a),
            "drift": mpmath.sqrt(2 - 2 * mpmath.cos(angle)),
            "tan_squared": mpmath.tan(angle) ** 2,
            "remark34_quoted": (alpha / (gap - e)) ** 2,
            "remark34_corrected": (alpha / (gap + a - e)) ** 2,
        }


@pytest.mark.parametrize("size", [F(1), F(1, 10**300)])
@pytest.mark.parametrize("family", [f for f in FAMILIES if f.d == 2 and f.a > 0], ids=lambda f: f.name)
def test_forty_digits_at_gap_1e_300_on_dense_exact_input(family, size, tmp_path, capsys):
    """ΔV of size one and of the size of the gap; the file holds exact fractions."""
    gap = F(1, 10**300)
    scaled = type(family)(
        family.name, family.a * size, tuple(x * size for x in family.alpha), tuple(x * size for x in family.e)
    )
    instance = collapse_instance(scaled, gap, rational_orthogonal(2, np.random.default_rng(5)))
    expected = script_two_by_two(gap, scaled.a, scaled.alpha[0], scaled.e[0])
    found = run_json(tmp_path, capsys, instance.to_dict(), "--digits", "40")
    for key, value in expected.items():
        text = found[key]
        with mpmath.workdps(2000):
            if value == 0:
                assert text == "0", key
                continue
            assert isinstance(text, str), key
            assert abs(mpmath.mpf(text) / value - 1) < mpmath.mpf(10) ** -39, key
            assert text == mpmath.nstr(value, 40, strip_zeros=False), key
    assert found["working_digits"] > 600


def test_forty_digits_in_three_dimensions_against_a_planted_cubic():
    """λ̃1 by bisection of the characteristic polynomial in the planted frame; eigenvector by the secular form."""
    family = next(f for f in FAMILIES if f.name == "three levels, e < 0")
    gap = F(1, 10**300)
    instance = collapse_instance(family, gap, rational_orthogonal(3, np.random.default_rng(2)))
    found = analyse(instance, 40)
    with mpmath.workdps(1000):
        a, x, y, e, f = (mpmath.mpf(v.numerator) / v.denominator for v in (family.a, *family.alpha, *family.e))
        top, second, third = 1 + a, 1 - mpmath.mpf(10) ** -300 + e, mpmath.mpf("0.5") + f

        def secular(t):
            return t - top - x**2 / (t - second) - y**2 / (t - third)

        low, high = top, mpmath.mpf(2)
        for _ in range(600):
            middle = (low + high) / 2
            low, high = (middle, high) if secular(middle) < 0 else (low, middle)
        tan_squared = (x / (low - second)) ** 2 + (y / (low - third)) ** 2
        assert abs(found.values["tan_squared"] / tan_squared - 1) < mpmath.mpf(10) ** -40
        assert abs(found.values["gap"] * mpmath.mpf(10) ** 300 - 1) < mpmath.mpf(10) ** -40
        drift = 2 * mpmath.sin(mpmath.atan(mpmath.sqrt(tan_squared)) / 2)
        assert abs(found.values["drift"] / drift - 1) < mpmath.mpf(10) ** -40


# --- the document ---------------------------------------------------------------------------------


def test_document_has_the_keys_of_the_contract(tmp_path, capsys):
    found = run_json(tmp_path, capsys, {"V": DIAGONAL, "dV": [[0, "0.45"], ["0.45", 0]]})
    assert list(found)[:4] == ["schema", "command", "versions", "seed"]
    assert found["command"] == "instance"
    assert {*KEYS, *MORE_KEYS, "verdict", "reasons", "notes", "theorems", "digits"} <= set(found)
    assert set(found["notes"]) == {key for key in (*KEYS, *MORE_KEYS, *TIME_KEYS) if found[key] is None}
    assert all(isinstance(found[k], float) for k in KEYS)
    assert found["criterion_margin"] == pytest.approx(0.1, rel=1e-15)
    assert found["theta_bound"] == 0.5 * np.arctan(0.9)
    assert found["verdict"] == "safe"
    assert found["safe_angle"] == pytest.approx(np.pi / 2 - 0.5 * np.arctan(0.9), rel=1e-15)


def test_numbers_beyond_float_range_are_strings(tmp_path, capsys):
    data = {"V": [["1e-320", 0], [0, 0]], "dV": [["1e-330", 0], [0, 0]]}
    found = run_json(tmp_path, capsys, data)
    assert (found["gap"], found["a"], found["drift"]) == ("1.0e-320", "1.0e-330", 0.0)


def test_nonsymmetric_update_says_which_keys_do_not_apply():
    found = answer(DIAGONAL, [[0, 0.1], [0.2, 0]])
    for key in ("theta_bound", "drift_bound_sharp", "remark34_quoted", "remark34_corrected"):
        assert found.values[key] is None
        assert "symmetric" in found.notes[key]
    assert (float(found.values["b_norm"]), float(found.values["c_norm"])) == pytest.approx((0.2, 0.1), rel=1e-15)
    assert float(found.values["cone_margin"]) == pytest.approx(1 - 2 * np.sqrt(0.02), rel=1e-14)
    assert (found.verdict, found.theorems) == ("safe", ("prop-3.3/nonsymmetric",))


def test_terminal_says_it_in_words(tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"V": DIAGONAL, "dV": [[0, 0.45], [0.45, 0.9]]}))
    assert cli.main(["instance", str(path), "--fix"]) == 0
    out = capsys.readouterr().out
    for words in ("In the safe zone", "Quoted criterion fails (-0.8), sharp criterion holds (0.1)", "1.11111111111"):
        assert words in out


# --- verdicts -------------------------------------------------------------------------------------


def test_counterexample_to_the_quoted_criterion_diverges():
    x = [0.338, -np.sqrt(1 - 0.338**2)]
    found = answer(DIAGONAL, [[0, 0.45], [0.45, 0]], X0=[x])
    assert found.values["criterion_margin"] > 0
    assert found.verdict == "diverges"
    assert answer(DIAGONAL, [[0, 0.45], [0.45, 0]], X0=[[0.6, -0.8]]).verdict == "safe"


def test_nonsymmetric_counterexample_diverges_although_theta_b_is_zero():
    found = answer(DIAGONAL, [[0, 2], [0, 0]], X0=[[0.4, -0.9165]], options={"normalize": True})
    assert found.values["criterion_margin"] > 0
    assert found.values["b_norm"] == 0
    assert (found.verdict, found.limits) == ("diverges", (1, -1))


def test_several_tokens_are_followed_by_simulation():
    """Three tokens, not all in one hemisphere of ũ1: only the flow can tell. A = V."""
    tokens = [[0.3, -np.sqrt(0.91)], [0.32, -np.sqrt(1 - 0.32**2)], [0.9, -np.sqrt(0.19)]]
    found = answer([[1, 0], [0, 0.9]], [[0, 0.5], [0.5, 0]], X0=tokens)
    assert found.level is not None
    assert found.level.perturbed is not None
    starts = [float(found.level.perturbed.vector[0] * x + found.level.perturbed.vector[1] * y) for x, y in tokens]
    assert min(starts) < 0 < max(starts)
    assert (found.verdict, found.limits) == ("diverges", (1, -1))


@pytest.mark.parametrize("shift", ["2", "3/2"])
def test_crossing_is_decided_exactly(shift):
    found = answer(DIAGONAL, [[0, 0], [0, shift]])
    assert found.verdict == "diverges"
    assert float(found.values["drift"]) == np.sqrt(2)
    assert found.values["tan_squared"] is None
    assert "orthogonal" in found.notes["tan_squared"]


def test_tokens_at_rest_on_u1_do_not_diverge_at_a_crossing():
    found = answer(DIAGONAL, [[0, 0], [0, 2]], X0=[[1, 0], [1, 0]])
    assert found.verdict == "not_guaranteed"


def test_indefinite_base_is_not_safe():
    found = answer([[1, 0], [0, -2]], [[0, 0], [0, 0]])
    assert found.verdict == "not_guaranteed"
    assert "base itself" in found.reasons[0]


@pytest.mark.parametrize(
    ("V", "dV", "margin"),
    [
        (DIAGONAL, [[0, 0], [0, -2]], "sharp_criterion_margin"),  # gap* + a - |E| = 1 - 2; λ1 = 1.5 = |λ2 + e|
        ([[1, 0], [0, -1]], [[0, 0.1], [0.1, 0]], "dominant_gap"),
        ([["4/3", "1/3"], ["1/3", "4/3"]], [["1/6", "-1/2"], ["-1/2", "1/6"]], "cone_margin"),
    ],
)
def test_ties_are_not_safe(V, dV, margin):
    found = answer(V, dV)
    assert found.verdict != "safe"
    assert found.values[margin] <= 0


def test_irrational_frame_has_exact_zeros():
    """ΔV = V²/10 - V/5 commutes with V: b = c = 0 exactly, though u1 is irrational."""
    V = np.array([[2, 1, 0], [1, 3, 1], [0, 1, 5]])
    numerator = V @ V - 2 * V
    found = answer(V, [[f"{x}/10" for x in row] for row in numerator.tolist()])
    assert (found.values["b_norm"], found.values["drift"], found.values["tan_squared"]) == (0, 0, 0)
    assert found.verdict == "safe"


def test_angle_of_tokens_decides_on_either_side():
    """d = 2, symmetric: safe iff min <x,u1> > sin θ_b, on both sides of the boundary."""
    boundary = np.sin(0.5 * np.arctan(0.9))
    for factor, verdict in ((1 + 1e-9, "safe"), (1 - 1e-9, "diverges")):
        p = boundary * factor
        found = answer(DIAGONAL, [[0, 0.45], [0.45, 0]], X0=[[p, -np.sqrt(1 - p * p)]])
        assert found.verdict == verdict


def test_sign_of_u1_follows_the_tokens():
    found = answer(DIAGONAL, [[0, 0.1], [0.1, 0]], X0=[[-0.8, 0.6], [-1, 0]])
    assert found.verdict == "safe"
    assert "-u1" in found.reasons[-1]


# --- degenerate input -----------------------------------------------------------------------------

DEGENERATE = {
    "identity": ([[1, 0], [0, 1]], [[0, 1], [1, 0]], "multiple"),
    "gap 0 in a dense frame": ([[2, 1, 1], [1, 2, -1], [1, -1, 2]], [[1, 0, 0], [0, 0, 0], [0, 0, 0]], "multiple"),
    "complex by 1e-200": ([[1, "1e-200"], ["-1e-200", 1]], [[1, 0], [0, 0]], "complex"),
    "complex base": ([[0, 1], [-1, 0]], [[1, 0], [0, 0]], "complex"),
    "real part tie": ([[0, 0, 0], [0, 0, 1], [0, -1, 0]], np.zeros((3, 3)).tolist(), "complex"),
    "defective base": ([[1, 1], [0, 1]], [[0, 0], [0, 0]], "multiple"),
    "complex V + dV": (DIAGONAL, [[0, 2], [-2, 0]], "complex"),
    "V + dV = identity": (DIAGONAL, [["-1/2", 0], [0, "1/2"]], "multiple"),
    "zero": ([[0, 0], [0, 0]], [[0, 0], [0, 0]], "multiple"),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_input_is_an_answer(case, tmp_path, capsys):
    V, dV, word = DEGENERATE[case]
    found = run_json(tmp_path, capsys, {"V": V, "dV": dV}, "--fix")
    assert found["verdict"] == "degenerate"
    assert word in found["reasons"][0]
    assert found["drift"] is None
    assert set(found["notes"]) == {key for key in (*KEYS, *MORE_KEYS, *TIME_KEYS) if found[key] is None}


def test_a_gap_of_1e_600_is_not_degenerate():
    V = [["1", "1e-600"], ["1e-600", 1]]
    found = answer(V, [["1e-700", 0], [0, 0]])
    assert found.verdict != "degenerate"
    with mp.workdps(40):
        assert abs(found.values["gap"] * mp.mpf(10) ** 600 - 2) < mp.mpf(10) ** -14


# --- exact decisions ------------------------------------------------------------------------------


def rational(rows):
    return tuple(tuple(F(x) for x in row) for row in rows)


def test_exact_zero_blocks_of_planted_updates():
    """u1 ∝ (1, golden ratio): irrational; ΔV built so that each block alone vanishes."""
    V = rational([[1, 1], [1, 2]])
    own = ExactEigenvector(V, leading_eigenvalue(V))
    assert own.leading.kind == "simple"
    assert own.zero_blocks(V) == {"a": False, "b": True, "c": True, "E": False}
    skew = rational([[0, 1], [-1, 0]])  # u·Ju = 0 for every u, and E is 1×1 with e = tr - a = 0
    assert own.zero_blocks(skew) == {"a": True, "b": False, "c": False, "E": True}
    near = rational([[1, 1], [1, F(2) + F(1, 10**200)]])
    assert not own.zero_blocks(near)["b"]


def test_exact_orthogonality_of_eigenvectors():
    V, W = rational([[2, 0, 0], [0, 1, 0], [0, 0, 0]]), rational([[0, 0, 0], [0, 1, 1], [0, 1, 3]])
    one, two = (ExactEigenvector(m, leading_eigenvalue(m)) for m in (V, W))
    assert one.orthogonal_to(two) is True
    tilted = rational([[0, F(1, 10**99), 0], [F(1, 10**99), 1, 1], [0, 1, 3]])
    assert one.orthogonal_to(ExactEigenvector(tilted, leading_eigenvalue(tilted))) is False


# --- large matrices -------------------------------------------------------------------------------


def test_float64_above_24_dimensions_agrees_with_high_precision():
    rng = np.random.default_rng(3)
    d = 26
    q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    V = q @ np.diag([2.0, *np.linspace(1, 0, d - 1)]) @ q.T
    update = rng.normal(size=(d, d)) / 200
    instance = Instance.from_arrays(V=(V + V.T) / 2, dV=update + update.T)
    fast, slow = analyse(instance), analyse(instance, 13)
    assert not fast.decisions.exact
    assert slow.decisions.exact
    assert "float64" in fast.reasons[-1]
    assert fast.verdict == slow.verdict
    for key in KEYS:
        assert float(fast.values[key]) == pytest.approx(float(slow.values[key]), rel=1e-11), key


def test_a_triple_near_degeneracy_of_a_nonsymmetric_matrix_is_resolved():
    """Upper triangular with eigenvalues 1, 1 - 1e-40, 1 - 2e-40: close to a Jordan block, real and simple."""
    V = [
        [1, 1, 0],
        [0, "0.9999999999999999999999999999999999999999", 1],
        [0, 0, "0.9999999999999999999999999999999999999998"],
    ]
    found = answer(V, [[0, 0, 0], [0, 0, 0], [0, 0, "1e-50"]])
    assert found.verdict == "not_guaranteed"
    assert float(found.values["gap"]) == pytest.approx(1e-40, rel=1e-14)
    assert found.values["drift"] == 0
