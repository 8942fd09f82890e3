"""The one place that loads ICICI's SDK: unmodified, in a module of its own, that can touch nothing of ours.

Imported as its authors mean it to be, ``breeze_connect`` downloads the security master, makes a folder ``logs`` in the
working directory and writes every answer there in clear, puts its own folder on ``sys.path``, claims the module name
``config``, switches IPv6 off for the whole process and loads pandas. Here its source is run as it is, but its imports
are answered by us: what would reach outside gets a stand-in. Nothing of the process is patched, so nothing has to be
put back, and two threads may load at once.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import io
import logging
import os
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any, Final

from sensequant.lib.errors import Unavailable
from sensequant.lib.logs import get_logger
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.http import Http

NSE: Final = 1  # where the SDK keeps the shares of the NSE among its six exchanges
EXCHANGES: Final = 6
log = get_logger("breeze-sdk")
_loaded: dict[tuple[Addresses, Http], ModuleType] = {}
_turn = threading.Lock()


def load(addresses: Addresses, *, http: Http, folder: Path | None = None) -> ModuleType:
    """Return the SDK's module bound to ``addresses`` and ``http``; loaded once for each pair.

    ``folder`` is the package's own folder, for one that is not installed. Raise Unavailable when there is none.
    """
    with _turn:
        key = (addresses, http)
        if key not in _loaded:
            _loaded[key] = _load(addresses, http, folder or _installed())
        return _loaded[key]


def seed(sdk: Any, shares: Iterable[tuple[str, str, str]]) -> None:
    """Tell ``sdk`` of NSE shares as (token, ISEC code, company), so that it knows their rooms and their names."""
    for token, code, company in shares:
        sdk.stock_script_dict_list[NSE][code] = token
        sdk.token_script_dict_list[NSE][token] = [code, company]


def _installed() -> Path:
    found = find_spec("breeze_connect")
    if found is None or not found.origin:
        raise Unavailable("breeze-connect is not installed", fix="pip install -r requirements.txt")
    return Path(found.origin).parent


def _load(addresses: Addresses, http: Http, folder: Path) -> ModuleType:
    config = _run(folder / "config.py", "config", {})
    config.__dict__.update(
        API_URL=addresses.api,
        BREEZE_NEW_URL=addresses.api_v2,
        LIVE_STREAM_URL=addresses.ticks,
        LIVE_FEEDS_URL=addresses.orders,
        LIVE_OHLC_STREAM_URL=addresses.ohlc,
        SECURITY_MASTER_URL=addresses.master,
    )
    module = _run(folder / "breeze_connect.py", "breeze_connect.breeze_connect", _stand_ins(config, http))
    module.BreezeConnect.get_stock_script_list = _own_lists
    log.debug("the SDK is loaded", file=str(module.__file__))
    return module


def _run(file: Path, name: str, stand_ins: Mapping[str, Any]) -> ModuleType:
    """Return ``file`` run as module ``name``, which is entered nowhere; its imports find ``stand_ins`` first."""
    module = ModuleType(name)
    module.__file__ = str(file)
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _importer(stand_ins)}
    exec(_compiled(file), module.__dict__)  # noqa: S102 - the installed package's own source
    return module


@functools.cache
def _compiled(file: Path) -> CodeType:
    return compile(file.read_bytes(), str(file), "exec", dont_inherit=True)


def _importer(stand_ins: Mapping[str, Any]) -> Callable[..., Any]:
    """Return an ``__import__`` that answers with ``stand_ins`` by full name, and with the real module otherwise."""

    def find(name: str, *rest: Any) -> Any:
        return stand_ins[name] if name in stand_ins else builtins.__import__(name, *rest)

    return find


def _stand_ins(config: ModuleType, http: Http) -> dict[str, Any]:
    return {
        "config": config,
        "requests": http,
        "pandas": _Later("pandas"),
        "urllib.request": SimpleNamespace(urlopen=_no_master),
        "sys": SimpleNamespace(path=[]),
        "os": SimpleNamespace(
            path=SimpleNamespace(abspath=os.path.abspath, dirname=os.path.dirname, exists=lambda _: True)
        ),
        "logging": SimpleNamespace(
            getLogger=logging.Logger, FileHandler=_handler, Formatter=logging.Formatter, INFO=logging.INFO,
            ERROR=logging.ERROR, DEBUG=logging.DEBUG,
        ),
    }  # fmt: skip


class _Later(ModuleType):
    """A module that is imported when first used: pandas costs 34 MB and serves one method that we never call."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def _no_master(*_: Any, **__: Any) -> io.BytesIO:
    """Return an empty zip in place of a download; the desk has a master of its own."""
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    return io.BytesIO(empty.getvalue())


def _own_lists(sdk: Any) -> list[dict[str, list[str]]]:
    """Stand for the SDK's download of its lists; ``seed`` fills what is needed."""
    sdk.stock_script_dict_list = [{} for _ in range(EXCHANGES)]
    sdk.token_script_dict_list = [{} for _ in range(EXCHANGES)]
    lists: list[dict[str, list[str]]] = sdk.token_script_dict_list
    return lists


class _ToOurs(logging.Handler):
    """Passes what the SDK says of its sockets on to our log, which hides secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as an intermediate step; the SDK's own level says little."""
        log.debug(record.getMessage())


def _handler(path: str, *_: Any, **__: Any) -> logging.Handler:
    """Return what takes the place of a log file; the one of the REST answers, account and all, is dropped."""
    return _ToOurs() if "websocket" in path else logging.NullHandler()
