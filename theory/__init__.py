"""Exact statements of the claims: symbols, formulas, assumptions and the claims as data (sympy).

Knows nothing of :mod:`numerics`; predictions come from here, measurements from there, and only
:mod:`proofs_checks` compares the two.
"""
