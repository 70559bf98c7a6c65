"""The OpenAPI description; the answers' shapes are taken from the records, so that the two cannot drift apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from typing_extensions import override

from trueup.web.api.types import ErrorOut

View = TypeVar("View", bound=Callable[..., Any])

TEMPLATE: Final = "#/components/schemas/{name}"


def answers(record: Any) -> Callable[[View], View]:
    """Declare what an operation answers with 200."""

    def mark(view: View) -> View:
        view.__trueup_answers__ = record  # type: ignore[attr-defined]
        return view

    return mark


class DescribedAPI(NinjaAPI):
    """An API whose description names the record of every answer."""

    @override
    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description, completed with our records and error answers."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        records = {
            operation.operation_id: getattr(operation.view_func, "__trueup_answers__", None)
            for _prefix, router in self._routers
            for view in router.path_operations.values()
            for operation in view.operations
        }
        wanted = [record for record in records.values() if record is not None]
        shapes, components = msgspec.json.schema_components([*wanted, ErrorOut], ref_template=TEMPLATE)
        of = dict(zip(map(repr, wanted), shapes, strict=False))
        schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
        refused = {"description": "Refused", "content": {"application/json": {"schema": shapes[-1]}}}
        for methods in schema["paths"].values():
            for method, described in methods.items():
                record = records.get(described["operationId"])
                shape = of.get(repr(record), {})
                described["responses"] = {
                    200: {"description": "OK", "content": {"application/json": {"schema": shape}}},
                    **dict.fromkeys((400, 401, 403, 404, *(() if method == "get" else (409,)), 422, 503), refused),
                }
        return schema
