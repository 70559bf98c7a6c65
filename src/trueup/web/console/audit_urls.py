"""The audit pages and the permission that each needs; ``urls.py`` takes them in."""

from __future__ import annotations

from typing import Final

from django.urls import path

from trueup.operators.permissions import Permission
from trueup.web.console import audit, audit_access, audit_entry, audit_export, audit_proof
from trueup.web.console.guard import guarded

_P = Permission

ROUTES: Final = [
    path("audit", guarded(_P.AUDIT_READ, audit.listing), name="audit"),
    path("audit/entries/<int:entry_id>", guarded(_P.AUDIT_READ, audit_entry.detail), name="audit-entry"),
    path("audit/entries/<int:entry_id>/open", guarded(_P.AUDIT_OPEN, audit_entry.opened), name="audit-open"),
    path("audit/entries/<int:entry_id>/proof", guarded(_P.AUDIT_READ, audit_entry.proof), name="audit-proof"),
    path("audit/entries/<int:entry_id>/body", guarded(_P.AUDIT_READ, audit_entry.body), name="audit-body"),
    path("audit/at/<str:mode>/<int:position>", guarded(_P.AUDIT_READ, audit_entry.at), name="audit-at"),
    path("audit/badge", guarded(_P.AUDIT_READ, audit_proof.badge), name="audit-badge"),
    path("audit/verify", guarded(_P.AUDIT_READ, audit_proof.verify), name="audit-verify"),
    path("audit/verification", guarded(_P.AUDIT_READ, audit_proof.verification), name="audit-verification"),
    path("audit/<str:mode>/checkpoints", guarded(_P.AUDIT_READ, audit_proof.checkpoints), name="audit-checkpoints"),
    path("audit/<str:mode>/checkpoint", guarded(_P.AUDIT_READ, audit_proof.checkpoint), name="audit-checkpoint"),
    path("audit/<str:mode>/policy", guarded(_P.AUDIT_READ, audit_proof.policy), name="audit-policy"),
    path("audit/export", guarded(_P.AUDIT_EXPORT, audit_export.export), name="audit-export"),
    path("audit/access", guarded(_P.ACCESS_LOG_READ, audit_access.listing), name="audit-access"),
]
