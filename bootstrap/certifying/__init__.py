"""What connects a loop to the trial of its candidates: frozen models, audits, certificates, the verdict."""

from bootstrap.certifying.candidates import StoredCandidate
from bootstrap.certifying.certifying import FIRST_CANDIDATE, Certifying

__all__ = ["FIRST_CANDIDATE", "Certifying", "StoredCandidate"]
