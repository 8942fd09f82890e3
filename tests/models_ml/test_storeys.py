"""Learning stands in the house: its routers hang under the one API, its pages under the one site."""

import models_ml.api
import trading.api


def test_no_router_of_learning_hides_one_of_trading():
    assert not set(models_ml.api.ROUTERS) & set(trading.api.ROUTERS)
