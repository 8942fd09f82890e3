"""The SDK is loaded without a trace: no network, no files, no names taken, nothing of the process changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest

from sensequant.config import ROOT
from sensequant.lib.errors import Unavailable
from trading.adapters.breeze import loader
from trading.adapters.breeze.addresses import ICICI, Addresses
from trading.adapters.breeze.http import Http

PROLOGUE = """
    import json, logging, os, socket, sys
    def refuse(*_, **__):
        raise AssertionError("the network was touched")
    socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
    import django
    django.setup()
    import trading.adapters.breeze.client, trading.services.budgets, trading.services.runner, trading.services.engine
    heavy = {"breeze_connect", "socketio", "requests", "urllib3", "certifi", "pandas", "numba"}
    carried = sorted(heavy & set(sys.modules))
    from trading.adapters.breeze import loader
    from trading.adapters.breeze.addresses import ICICI
    from trading.adapters.breeze.http import Http
    def seen():
        return list(sys.path), os.getcwd(), sorted(os.listdir("."))
"""
FACTS = """
    before = seen()
    module = loader.load(ICICI, http=Http())
    sdk = module.BreezeConnect("key")
    sdk.user_id, sdk.session_key, sdk.secret_key = "U", "K", "S"
    sdk.get_stock_script_list()
    sdk.api_handler = module.ApificationBreeze(sdk)
    facts = {
        "carried": carried,
        "unchanged": seen() == before,
        "megabytes": int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "named": sorted({"config", "breeze_connect", "breeze_connect.breeze_connect"} & set(sys.modules)),
        "loggers": sorted({"APILogger", "WebsocketLogger"} & set(logging.root.manager.loggerDict)),
        "pandas": ["pandas" in sys.modules],
    }
    module.api_logger.debug("Get Demat Holdings response", [{"a": 1}])
    module.api_logger.error("funds: canary")
    module.websocket_logger.debug({"message": "subscribed canary"})
    import requests
    facts["ipv6"] = requests.packages.urllib3.util.connection.HAS_IPV6
    module.pd.DataFrame
    facts["pandas"].append("pandas" in sys.modules)
    print(json.dumps(facts))
"""
COLLISION = """
    sys.path.insert(0, os.getcwd())
    import config
    assert config.MINE and not hasattr(config, "API_URL")
    module = loader.load(ICICI, http=Http())
    assert module.config is not config and module.config.API_URL.startswith("https://api.icicidirect.com")
    assert sys.modules["config"] is config
"""


def alone(code, cwd):
    """Run ``code`` in a process of its own, without a network, whose working directory is ``cwd``."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "sensequant.settings", "PYTHONPATH": str(ROOT)}
    env |= {"SENSEQUANT_HOME": str(cwd / "home"), "ENV_FILE": os.devnull, "LOG_LEVEL": "DEBUG"}
    text = textwrap.dedent(PROLOGUE) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", text], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder a process loaded the SDK in."""
    return tmp_path_factory.mktemp("alone")


@pytest.fixture(scope="module")
def facts(place):
    """What that process found, and that it said nothing else."""
    return json.loads(alone(FACTS, place))


def test_who_only_knows_the_client_carries_neither_the_sdk_nor_its_libraries(facts):
    assert facts["carried"] == []


def test_loading_leaves_no_trace_in_the_process(facts):
    assert facts["unchanged"]
    assert facts["named"] == []
    assert facts["loggers"] == []
    assert facts["ipv6"] is True


def test_pandas_waits_until_somebody_needs_it(facts):
    assert facts["pandas"] == [False, True]


def test_a_process_with_the_sdk_is_small(facts):
    assert facts["megabytes"] < 150


def test_no_file_is_written_and_no_answer_logged(facts, place):
    assert [file for file in place.iterdir() if file.name != "home"] == []
    log = (place / "home/logs/app.log").read_text()
    assert "subscribed canary" in log
    assert "funds: canary" not in log


def test_a_package_of_ours_called_config_is_left_alone_and_leaves_the_sdk_alone(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("MINE = True\n")
    alone(COLLISION, tmp_path)


def test_the_source_on_disk_stays_as_it_is():
    folder = Path(find_spec("breeze_connect").origin).parent
    before = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.py")}
    loader.load(ICICI, http=Http())
    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.py")} == before


def test_every_address_is_the_one_that_was_asked_for():
    origin = "http://127.0.0.1:4"
    config = loader.load(Addresses.of(origin), http=Http()).config
    assert f"{origin}/breezeapi/api/v1/" == config.API_URL
    assert f"{origin}/api/v2/" == config.BREEZE_NEW_URL
    assert f"{origin}/?feed=ticks" == config.LIVE_STREAM_URL
    assert f"{origin}/?feed=orders" == config.LIVE_FEEDS_URL
    assert origin == config.LIVE_OHLC_STREAM_URL
    assert f"{origin}/MotherAppMaster/SecurityMaster.zip" == config.SECURITY_MASTER_URL


def test_without_a_base_address_they_are_the_sdks_own():
    plain = loader._run(Path(find_spec("breeze_connect").origin).parent / "config.py", "config", {})
    config = loader.load(ICICI, http=Http()).config
    for name in ("API_URL", "BREEZE_NEW_URL", "LIVE_STREAM_URL", "LIVE_FEEDS_URL", "LIVE_OHLC_STREAM_URL"):
        assert getattr(config, name) == getattr(plain, name)
    assert config.SECURITY_MASTER_URL == plain.SECURITY_MASTER_URL


def test_one_module_for_each_pair_of_addresses_and_line():
    line, other = Http(), Http()
    here, there = Addresses.of("http://127.0.0.1:1"), Addresses.of("http://127.0.0.1:2")
    module = loader.load(here, http=line)
    assert loader.load(here, http=line) is module
    assert loader.load(here, http=other) is not module
    assert loader.load(there, http=line).config.API_URL != module.config.API_URL
    assert module.requests is line


def test_threads_that_load_at_once_get_one_module():
    line, found = Http(), []
    start = threading.Barrier(6)

    def load():
        start.wait()
        found.append(loader.load(ICICI, http=line))

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_the_sdk_never_downloads_its_master_and_knows_what_it_is_told():
    sdk = loader.load(ICICI, http=Http()).BreezeConnect("key")
    assert sdk.get_stock_script_list() == [{}, {}, {}, {}, {}, {}]
    loader.seed(sdk, [("2885", "RELIND", "RELIANCE INDUSTRIES")])
    sdk.interval = ""
    assert sdk.get_stock_token_value("NSE", "RELIND") == ("4.1!2885", "4.2!2885")
    assert sdk.get_data_from_stock_token_value("4.1!2885") == {"stock_name": "RELIANCE INDUSTRIES"}


def test_without_the_package_it_says_so(monkeypatch):
    monkeypatch.setattr(loader, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="not installed"):
        loader.load(ICICI, http=Http())
