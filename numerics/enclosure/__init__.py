"""Ball arithmetic (python-flint, FLINT/Arb): enclosures that carry proofs, from exact rational data.

``decision`` the four words a proof may end with; ``balls`` exact data to balls and certified comparison; ``spectrum``
eigenvalues and eigenvectors; ``norms`` operator norms; ``radicals`` exact ties; ``field`` the token flow in power
series; ``segments`` a validated integrator; ``limits`` from an enclosure to a statement about t → ∞.
"""
