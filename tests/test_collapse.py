"""Gap collapse: the rows against the arctan formula typed here, the bound, the saturation and the divergence."""

import numpy as np
import pytest
from mpmath import mp

from proofs_checks.collapse import FAMILIES, Family, collapse_instance, figure, rational_orthogonal, run_collapse


@pytest.fixture(scope="module")
def rows():
    return run_collapse()


def test_there_are_enough_rows_and_all_precisions_agree(rows):
    assert sum(row.d == 2 for row in rows) >= 60
    assert {row.d for row in rows} == {2, 3, 4}
    assert min(row.gap_exponent for row in rows) == 2
    assert max(row.gap_exponent for row in rows) == 300
    assert all(row.agreement_digits >= 40 for row in rows)


def test_two_level_angle_is_exact(rows):
    planted = {family.name: family for family in FAMILIES}
    checked = 0
    for row in (r for r in rows if r.d == 2):
        family = planted[row.family]
        with mp.workdps(row.working_digits):
            a, alpha, e = (mp.mpf(x.numerator) / x.denominator for x in (family.a, family.alpha[0], family.e[0]))
            gap = mp.mpf(10) ** -row.gap_exponent
            exact = mp.atan2(2 * alpha, gap + a - e) / 2  # leading eigenvector of [[a + gap, α], [α, e]]
            assert abs(row.observed_angle - exact) < exact * mp.mpf(10) ** -40
            assert abs(row.two_level_angle - exact) < exact * mp.mpf(10) ** -40
            assert abs(row.tan_squared - mp.tan(exact) ** 2) < row.tan_squared * mp.mpf(10) ** -38
        checked += 1
    assert checked >= 60


def test_sharp_bound_holds_and_the_corrected_form_is_above(rows):
    with mp.workdps(60):
        slack = 1 + mp.mpf(10) ** -40
        bounded = [row for row in rows if row.theta_bound is not None]
        assert len(bounded) >= 40
        assert all(row.observed_angle <= row.theta_bound * slack for row in bounded)
        strict = [row for row in bounded if row.d > 2]
        assert all(row.observed_angle < row.theta_bound * (1 - mp.mpf("1e-4")) for row in strict)
        above = [row for row in rows if row.remark34_corrected is not None]
        assert len(above) >= 40
        assert all(row.tan_squared <= row.remark34_corrected * slack for row in above)


def test_angle_saturates_while_the_quoted_form_diverges(rows):
    by = {(row.family, row.gap_exponent): row for row in rows}
    for name in ("plain", "a > 0", "three levels", "four levels"):
        first, last = by[name, 200], by[name, 300]
        assert abs(last.observed_angle - first.observed_angle) < mp.mpf(10) ** -190
        with mp.workdps(30):
            growth = mp.log10(last.remark34_quoted / first.remark34_quoted)
        assert float(growth) == pytest.approx(200, abs=0.01)  # as 1/gap²


def test_frames_are_orthogonal_and_dense():
    for d in (2, 3, 4):
        q = rational_orthogonal(d, np.random.default_rng(d))
        assert all(sum(x * y for x, y in zip(p, r, strict=True)) == (p is r) for p in q for r in q)
        assert any(x != 0 for i, row in enumerate(q) for k, x in enumerate(row) if i != k)


def test_instance_plants_its_numbers_exactly():
    family: Family = next(f for f in FAMILIES if f.name == "a > e > 0")
    q = rational_orthogonal(2, np.random.default_rng(1))
    found = collapse_instance(family, family.a, q)
    u = [row[0] for row in q]
    assert sum(u[i] * found.dV[i][k] * u[k] for i in range(2) for k in range(2)) == family.a
    assert found.dV[0][0] + found.dV[1][1] == family.a + family.e[0]


def test_figure_is_deterministic(rows, tmp_path):
    first = figure(rows, tmp_path / "one" / "collapse.svg")
    second = figure(rows, tmp_path / "two" / "collapse.svg")
    assert [p.suffix for p in first] == [".svg", ".png"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
    text = first[0].read_text()
    assert "<svg" in text
    assert "dc:date" not in text
