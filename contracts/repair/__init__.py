"""The values of repair: what is planned, what is left and why, what holds a plan back, what became of each step."""

from contracts.repair.brakes import Brake, Braked, Caps, Situation, brakes, releasing, unreleased
from contracts.repair.outcome import Done, Ended, Mended, Repair, Unconverged, Verified
from contracts.repair.pairing import are_others, best_known, strange_pair
from contracts.repair.plan import Act, Header, Left, Mode, Override, Plan, Step, Why, Winner, rows_of

__all__ = [
    "Act",
    "Brake",
    "Braked",
    "Caps",
    "Done",
    "Ended",
    "Header",
    "Left",
    "Mended",
    "Mode",
    "Override",
    "Plan",
    "Repair",
    "Situation",
    "Step",
    "Unconverged",
    "Verified",
    "Why",
    "Winner",
    "are_others",
    "best_known",
    "brakes",
    "releasing",
    "rows_of",
    "strange_pair",
    "unreleased",
]
