"""What can be wrong with the keys that sign the log.

Broken
├── SigningKeyInvalid   a key file is no key, can be read by others, or cannot be made
└── SigningKeyMissing   the log is signed with a key that is not held here
Unavailable
└── SignerUnavailable   Vault or KMS does not answer, or does not let us sign
Refused
└── SigningKeyByHand    the next key is made by whoever looks after Vault or KMS
"""

from __future__ import annotations

from trueup.kernel.errors import Broken, Refused, Unavailable


class SigningKeyInvalid(Broken):
    """The key cannot be used as it stands."""

    code = "audit_signing_key_invalid"


class SigningKeyMissing(Broken):
    """This host holds none of the keys that the log is signed with; another one may."""

    code = "audit_signing_key_missing"


class SignerUnavailable(Unavailable):
    """The place of the key did not sign."""

    code = "audit_signer_unavailable"


class SigningKeyByHand(Refused):
    """The next key has to be made where the keys are."""

    code = "audit_signing_key_by_hand"
