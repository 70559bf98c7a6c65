"""The OpenAPI description; the answers' shapes are taken from the records, so that the two cannot drift apart.

It names for each operation the scope that a token needs, and for what makes something the operations on what was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from typing_extensions import override

from trueup.web.api.auth import Bearer
from trueup.web.api.types import ErrorOut

View = TypeVar("View", bound=Callable[..., Any])

COMPONENTS: Final = "#/components/schemas/"
TEMPLATE: Final = COMPONENTS + "{name}"
LINKS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "customers": dict.fromkeys(
        ("customer", "contact", "timeline", "links", "notes", "owner", "add_note", "link"),
        ("customer_id", "/data/0/id"),
    ),
    "events": {"event": ("event_id", "/data/0/event_id")},
    "objects": dict.fromkeys(("object", "versions"), ("object_id", "/data/0/id")),
    "people": {"person": ("person_id", "/data/0/id")},
    "reconciliations": {"reconciliation": ("run_id", "/data/0/id")},
    "deadLetters": dict.fromkeys(("deadLetter", "retry"), ("cause", "/data/0/cause")),
    "add_note": dict.fromkeys(("change_note", "remove_note"), ("note_id", "/id")),
    "replay": dict.fromkeys(("replayStatus", "cancelReplay"), ("replay_id", "/id")),
    "makeToken": dict.fromkeys(("rotateToken", "revokeToken"), ("token_id", "/id")),
    "invite": dict.fromkeys(("renewInvitation", "withdraw"), ("invitation_id", "/invitation/id")),
    "auditEntries": dict.fromkeys(("auditEntry", "auditProof"), ("entry_id", "/data/0/id")),
}
"""What an operation's answer leads to: the operation, which parameter of it, and where in the answer its value is."""


def answers(record: Any) -> Callable[[View], View]:
    """Declare what an operation answers with 200."""

    def mark(view: View) -> View:
        view.__trueup_answers__ = record  # type: ignore[attr-defined]
        return view

    return mark


def answers_with(media: str) -> Callable[[View], View]:
    """Declare that an operation answers 200 with content of this type, which is no JSON."""

    def mark(view: View) -> View:
        view.__trueup_media__ = media  # type: ignore[attr-defined]
        return view

    return mark


class _Asked(OpenAPISchema):
    """What may be asked, with the types of parameters where they are used: two enums may have one name."""

    _latest: dict[str, Any]
    """The enums of the model that is described at this moment."""

    @override
    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        self._latest = {name: shape for name, shape in definitions.items() if shape.get("type") != "object"}
        for name in definitions.keys() - self._latest.keys():
            shape = self._inlined(definitions[name])
            if self.schemas.setdefault(name, shape) != shape:
                raise RuntimeError(f"Two bodies are called {name}.")

    @override
    def operation_details(self, operation: Operation) -> dict[str, Any]:
        self._latest = {}
        return super().operation_details(operation)

    @override
    def _extract_parameters(self, model: Any) -> list[dict[str, Any]]:
        found = super()._extract_parameters(model)
        for one in found:
            one["schema"] = _without_null(self._inlined(one["schema"]))
        return found

    @override
    def request_body(self, operation: Operation) -> dict[str, Any]:
        return dict(self._inlined(super().request_body(operation)))

    def _inlined(self, shape: Any) -> Any:
        if isinstance(shape, list):
            return [self._inlined(one) for one in shape]
        if not isinstance(shape, dict):
            return shape
        named = self._latest.get(str(shape.get("$ref", "")).removeprefix(COMPONENTS))
        return named if named is not None else {name: self._inlined(value) for name, value in shape.items()}

    @override
    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        described = super().operation_security(operation)
        scopes = [one.scope for one in operation.auth_callbacks if isinstance(one, Bearer)]
        return described and [
            {name: [scope.value] if scope else [] for name in one} for one, scope in zip(described, scopes, strict=True)
        ]


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """The shape of a parameter, which is there or not: an address cannot say null."""
    choices = shape.get("anyOf", [])
    left = [one for one in choices if one != {"type": "null"}]
    if len(left) == len(choices):
        return shape
    rest = {name: value for name, value in shape.items() if name not in {"anyOf", "default"}}
    return {**left[0], **rest} if len(left) == 1 else {**rest, "anyOf": left}


class DescribedAPI(NinjaAPI):
    """An API whose description names the record of every answer."""

    def operations(self) -> Iterator[tuple[str, Operation]]:
        """Every operation with its path, as it is declared."""
        for _prefix, router in self._routers:
            for path, view in router.path_operations.items():
                for operation in view.operations:
                    yield path, operation

    @override
    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description, completed with our records and error answers."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        schema = _Asked(self, prefix)
        views = {
            operation.operation_id: operation.view_func
            for _prefix, router in self._routers
            for view in router.path_operations.values()
            for operation in view.operations
        }
        records = {name: getattr(view, "__trueup_answers__", None) for name, view in views.items()}
        wanted = [record for record in records.values() if record is not None]
        shapes, components = msgspec.json.schema_components([*wanted, ErrorOut], ref_template=TEMPLATE)
        of = dict(zip(map(repr, wanted), shapes, strict=False))
        schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
        refused = {"description": "Refused", "content": {"application/json": {"schema": shapes[-1]}}}
        for methods in schema["paths"].values():
            for method, described in methods.items():
                record = records.get(described["operationId"])
                media = getattr(views[described["operationId"]], "__trueup_media__", "application/json")
                shape = of.get(repr(record), {})
                good: dict[str, Any] = {"description": "OK", "content": {media: {"schema": shape}}}
                if leads := LINKS.get(described["operationId"]):
                    good["links"] = {
                        target: {"operationId": target, "parameters": {name: f"$response.body#{place}"}}
                        for target, (name, place) in leads.items()
                    }
                described["responses"] = {
                    200: good,
                    **dict.fromkeys((400, 401, 403, 404, *(() if method == "get" else (409,)), 422, 503), refused),
                }
        return schema
