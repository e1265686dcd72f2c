"""Endpoints that list the available strategies, with the schema of their parameters, and series."""

import math
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool

from maestro.bars.loading import samples
from maestro.data.stores import configured_store
from maestro.errors import StrategyError
from maestro.service.accounts import Caller
from maestro.service.accounts.users import access_error
from maestro.service.web.access import require
from maestro.service.web.state import Service
from maestro.strategies import by_name, strategies
from maestro.strategies.parameters import Bool, Choice, Float, Int, Parameter


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix="/api/v2", tags=["catalogue"])
    viewer = Depends(require(service, "viewer"))

    @router.get("/strategies", summary="Every strategy with its parameters")
    async def every(caller: Annotated[Caller, viewer]) -> list[dict[str, Any]]:
        return await run_in_threadpool(lambda: [_described(name) for name in strategies(plugins=True)])

    @router.get("/strategies/{name}", summary="One strategy with the JSON schema of its parameters")
    async def one(name: str, caller: Annotated[Caller, viewer]) -> dict[str, Any]:
        try:
            return await run_in_threadpool(_described, name)
        except StrategyError as error:
            raise access_error(str(error), 404) from None

    @router.get("/series", summary="Names that the field data takes: samples, and series of the store")
    async def series(caller: Annotated[Caller, viewer]) -> list[str]:
        def names() -> list[str]:
            stored = [str(info.key) for info in configured_store().series()]
            return [*(f"sample:{name}" for name in samples()["name"]), *stored]

        return await run_in_threadpool(names)

    return router


@cache
def _described(name: str) -> dict[str, Any]:
    cls = by_name(name)
    words = (cls.__doc__ or "").strip().splitlines()
    return {
        "name": cls.__name__,
        "summary": words[0] if words else "",
        "family": cls.family,
        "requires": list(cls.requires),
        "constraints": [constraint.rule for constraint in cls.constraints],
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {key: _schema(parameter) for key, parameter in cls.parameters().items()},
        },
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    """JSON schema of a parameter; ``x-search`` is the range that is searched unless another one is given."""
    found: dict[str, Any] = {"description": parameter.doc or parameter.describe()}
    if isinstance(parameter, (Int, Float)):
        found |= {"type": "integer" if isinstance(parameter, Int) else "number", "default": parameter.default}
        for key, limit in (("minimum", parameter.minimum), ("maximum", parameter.maximum)):
            if limit is not None and math.isfinite(limit):
                found[key] = limit
        if parameter.search:
            found["x-search"] = {
                "low": parameter.low, "high": parameter.high, "step": parameter.step, "log": parameter.log,
            }  # fmt: skip
    elif isinstance(parameter, Bool):
        found |= {"type": "boolean", "default": parameter.default}
    elif isinstance(parameter, Choice):
        options = [parameter.written(option) for option in parameter.options]
        found |= {"enum": options}
        if parameter.default is not None:
            found["default"] = parameter.written(parameter.default)
    return found
