"""What follows from the evidence: candidates, certificates, the verdict and the stages.

Pure functions and small state machines: audits in, decisions out. No file, no clock, no person, no model.
"""

from bootstrap.phaseout.candidate import Candidate, Rung, Tally, rungs_for
from bootstrap.phaseout.certificate import Certificate, Proved, certify
from bootstrap.phaseout.claims import About, Claim, Outcome, claims_of
from bootstrap.phaseout.closed_pool import ClosedPool
from bootstrap.phaseout.ladder import LADDER, ladder_below, worth_testing
from bootstrap.phaseout.ledger import Ledger
from bootstrap.phaseout.missing import Need
from bootstrap.phaseout.people import People, check_traps
from bootstrap.phaseout.predictions import Predictions
from bootstrap.phaseout.situation import Situation
from bootstrap.phaseout.stages import Event, EventKind, IllegalMove, Instruction, PhaseOut, Stage, stage_of
from bootstrap.phaseout.trial import Champion, Trial
from bootstrap.phaseout.verdict import Move, Verdict, give_verdict

__all__ = [
    "LADDER",
    "About",
    "Candidate",
    "Certificate",
    "Champion",
    "Claim",
    "ClosedPool",
    "Event",
    "EventKind",
    "IllegalMove",
    "Instruction",
    "Ledger",
    "Move",
    "Need",
    "Outcome",
    "People",
    "PhaseOut",
    "Predictions",
    "Proved",
    "Rung",
    "Situation",
    "Stage",
    "Tally",
    "Trial",
    "Verdict",
    "certify",
    "check_traps",
    "claims_of",
    "give_verdict",
    "ladder_below",
    "rungs_for",
    "stage_of",
    "worth_testing",
]
