"""Certificates: computer-assisted proofs about one exact instance.

``quantities`` what the statements speak of, in balls; ``statements`` the statements; ``ladder`` decides them, with
rising precision and exact algebra for ties; ``dynamics`` what tokens do, from a validated integration; ``certificate``
claims on an instance and the file; ``checker`` the second, independent program; ``corpus`` and ``basin``.
"""
