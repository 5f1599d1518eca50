"""The rules by which a step of a derivation is checked, one sort of argument a module."""

from theory.kernel.rules.apply import Apply, Textbook
from theory.kernel.rules.calculus import Antiderivative, Comparison, Differentiate, Increasing
from theory.kernel.rules.convexity import Convex, Envelope
from theory.kernel.rules.definition import Definition
from theory.kernel.rules.entails import Entails
from theory.kernel.rules.evaluate import Evaluate
from theory.kernel.rules.functions import Monotone, Trigonometry
from theory.kernel.rules.gaussian import Wick
from theory.kernel.rules.identity import Identity
from theory.kernel.rules.series import PowerSeries
from theory.kernel.rules.sums import Termwise

__all__ = [
    "Antiderivative",
    "Apply",
    "Comparison",
    "Convex",
    "Definition",
    "Differentiate",
    "Entails",
    "Envelope",
    "Evaluate",
    "Identity",
    "Increasing",
    "Monotone",
    "PowerSeries",
    "Termwise",
    "Textbook",
    "Trigonometry",
    "Wick",
]
