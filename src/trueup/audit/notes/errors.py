"""What can be wrong with what is signed about a tree.

Refused
├── NoteInvalid         a note, checkpoint, proof file or message is not of its form
├── KeyInvalid          a verifier key is not of its form, or of a type that is not known here
├── SignatureInvalid    the signature of a known key does not fit
├── PolicyInvalid       a policy is not of its form
└── PolicyUnmet         a checkpoint is signed by too few of those whom the policy asks for
"""

from __future__ import annotations

from trueup.kernel.errors import Refused


class NoteInvalid(Refused):
    """The note, or what carries it, is not of its form."""

    code = "note_invalid"


class KeyInvalid(Refused):
    """The verifier key is not of its form, or of a type that is not known here."""

    code = "key_invalid"


class SignatureInvalid(Refused):
    """A known key is named and its signature does not fit: the note says something that was not signed."""

    code = "signature_invalid"


class PolicyInvalid(Refused):
    """The policy is not of its form."""

    code = "policy_invalid"


class PolicyUnmet(Refused):
    """Too few of those whom the policy asks for have signed the checkpoint."""

    code = "policy_unmet"
